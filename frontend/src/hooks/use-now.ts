/**
 * The time, without a clock that ticks on an idle page.
 *
 * It moves each second while a component is on the page that has asked for that. Else it moves when
 * the reader does something, which is when a "2m ago" that has become wrong would be noticed.
 */
import { useSyncExternalStore } from "react";

const TICK_MS = 1000;
const COARSE_MS = 10_000;
const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "focus", "wheel"] as const;

let now = Date.now();
let interval: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();
const tickers = new Set<() => void>();

/** What `select` makes of the time; rendered again only when that changes, so make it coarse. */
export function useNow<T extends string | number | boolean>(
  select: (now: number) => T,
  isTicking = false,
): T {
  return useSyncExternalStore(isTicking ? subscribeTicking : subscribe, () => select(now));
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) watchForLife();
  listeners.add(listener);
  if (isOff(TICK_MS)) setNow();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) unwatchForLife();
  };
}

function subscribeTicking(listener: () => void): () => void {
  const unsubscribe = subscribe(listener);
  tickers.add(listener);
  interval ??= setInterval(setNow, TICK_MS);
  return () => {
    unsubscribe();
    tickers.delete(listener);
    if (tickers.size > 0) return;
    clearInterval(interval);
    interval = undefined;
  };
}

function setNow(): void {
  now = Date.now();
  for (const listener of [...listeners]) listener();
}

/** Either way: a computer's clock is set back, too. */
function isOff(ms: number): boolean {
  return Math.abs(Date.now() - now) >= ms;
}

function seeLife(): void {
  if (isOff(COARSE_MS)) setNow();
}

function seeVisible(): void {
  if (!document.hidden) setNow();
}

function watchForLife(): void {
  for (const sign of SIGNS_OF_LIFE) window.addEventListener(sign, seeLife, { passive: true });
  document.addEventListener("visibilitychange", seeVisible);
}

function unwatchForLife(): void {
  for (const sign of SIGNS_OF_LIFE) window.removeEventListener(sign, seeLife);
  document.removeEventListener("visibilitychange", seeVisible);
}
