/**
 * Which session the page shows: the address says it.
 *
 * `/s/ID` names a session. Any other address opens the one this browser used last, or a new one,
 * and is replaced by its `/s/ID`, so that what is in the address bar can always be shared.
 */
import { createStore } from "zustand/vanilla";
import { readStored, writeStored } from "@/app/storage";
import { newId } from "@/session/new-id";
import type { Id } from "@/session/state";

/** A session, or an address that looks like one and whose id no session can have. */
export type Place =
  | { readonly kind: "session"; readonly sessionId: Id }
  | { readonly kind: "none" };

const KEY = "fanline-session-id";
const SESSION_ID = /^[A-Za-z0-9_-]{1,128}$/;
const SESSION_PATH = /^\/s\/(.+?)\/?$/;

export const place = createStore<{ readonly current: Place }>(() => ({
  current: { kind: "none" },
}));

/** Whether the gateway would take `text` as a session's id; never open a socket for another. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

/** The session that a path names, null when it names none. */
export function placeOf(path: string): Place | null {
  const named = SESSION_PATH.exec(path)?.[1];
  if (named === undefined) return null;
  return isSessionId(named) ? { kind: "session", sessionId: named } : { kind: "none" };
}

export function pathOf(sessionId: Id): string {
  return `/s/${sessionId}`;
}

/** The address of a session as it can be given to somebody else. */
export function linkTo(sessionId: Id): string {
  return new URL(pathOf(sessionId), window.location.origin).href;
}

/** Shows what the address says, now and whenever the user goes back or forward; returns the end. */
export function followAddress(): () => void {
  openAddress();
  window.addEventListener("popstate", openAddress);
  return () => window.removeEventListener("popstate", openAddress);
}

/** Goes to a session, as a step that "back" undoes. */
export function goToSession(sessionId: Id): void {
  if (pathOf(sessionId) !== window.location.pathname) {
    window.history.pushState(null, "", pathOf(sessionId));
  }
  show(sessionId);
}

/** Goes to a session that nobody has used. */
export function goToNewSession(): void {
  goToSession(newId());
}

function openAddress(): void {
  const named = placeOf(window.location.pathname);
  if (named?.kind === "none") {
    place.setState({ current: named });
    return;
  }
  const sessionId = named?.sessionId ?? lastSessionId() ?? newId();
  if (window.location.pathname !== pathOf(sessionId)) {
    window.history.replaceState(null, "", pathOf(sessionId));
  }
  show(sessionId);
}

function lastSessionId(): Id | null {
  const stored = readStored(KEY);
  return stored !== null && isSessionId(stored) ? stored : null;
}

function show(sessionId: Id): void {
  writeStored(KEY, sessionId);
  const { current } = place.getState();
  if (current.kind === "session" && current.sessionId === sessionId) return;
  place.setState({ current: { kind: "session", sessionId } });
}
