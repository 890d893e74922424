/** The time that makes running bars grow: four times a second, and only while somebody looks. */
import { createContext, useContext, useSyncExternalStore } from "react";

const TICK_MS = 250;

/** The gateway's clock minus ours, in milliseconds. */
export const ClockSkew = createContext(0);

let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/**
 * The time by the gateway's clock, which events are stamped by. It moves while `isTicking`; one
 * timer serves everyone, there is none while nobody ticks, and none while the page is hidden.
 */
export function useGatewayNow(isTicking: boolean): number {
  const skew = useContext(ClockSkew);
  return useSyncExternalStore(isTicking ? subscribe : subscribeToNothing, readNow) + skew;
}

function readNow(): number {
  return now;
}

function subscribeToNothing(): () => void {
  return () => {};
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    document.addEventListener("visibilitychange", followVisibility);
    now = Date.now();
    followVisibility();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    document.removeEventListener("visibilitychange", followVisibility);
    stop();
  };
}

function followVisibility(): void {
  if (document.hidden) {
    stop();
  } else {
    timer ??= setInterval(tick, TICK_MS);
    tick();
  }
}

function stop(): void {
  clearInterval(timer);
  timer = undefined;
}

function tick(): void {
  now = Date.now();
  for (const listener of [...listeners]) listener();
}
