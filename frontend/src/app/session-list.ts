/**
 * The sessions that this browser has opened: ids, times, and names that the user has given.
 *
 * Conversations hold clinical data, so nothing of what was said is kept here.
 */
import { createStore } from "zustand/vanilla";
import { isSessionId } from "@/app/routes";
import { fieldsOf, onStoredElsewhere, parseJson, readStored, writeStored } from "@/app/storage";
import type { Id } from "@/session/state";

export type ListedSession = {
  readonly id: Id;
  /** What the user calls it; null when it has only its date and id. */
  readonly name: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
};

export const MAX_SESSIONS = 100;
export const MAX_NAME_LENGTH = 80;
const KEY = "fanline-sessions";

/** The last used first. */
export const sessionList = createStore<{ readonly sessions: readonly ListedSession[] }>(() => ({
  sessions: parseSessions(readStored(KEY)),
}));

/** Puts a session first, adding it when it is not in the list. */
export function touchSession(id: Id, now: number): void {
  change((sessions) => {
    const known = sessions.find((session) => session.id === id);
    const touched = known ?? { id, name: null, createdAt: now, lastUsedAt: now };
    return [{ ...touched, lastUsedAt: now }, ...sessions.filter((session) => session !== known)];
  });
}

/** Gives a session a name; a blank one takes its name away. */
export function renameSession(id: Id, name: string): void {
  const given = name.trim().slice(0, MAX_NAME_LENGTH);
  change((sessions) =>
    sessions.map((session) =>
      session.id === id ? { ...session, name: given === "" ? null : given } : session,
    ),
  );
}

/** Takes a session off the list. The session itself lives on. */
export function forgetSession(id: Id): void {
  change((sessions) => sessions.filter((session) => session.id !== id));
}

/** Follows what other tabs do to the list; returns how to end that. */
export function followSessionList(): () => void {
  return onStoredElsewhere(KEY, () =>
    sessionList.setState({ sessions: parseSessions(readStored(KEY)) }),
  );
}

/** The name the user gave, or when it was first opened and how its id begins. */
export function titleOf(session: ListedSession): string {
  if (session.name !== null) return session.name;
  const opened = new Date(session.createdAt).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return `${opened} · ${session.id.slice(0, 8)}`;
}

/** The list that `text` writes, without entries that could not have come from here. */
export function parseSessions(text: string | null): readonly ListedSession[] {
  const stored = parseJson(text);
  if (!Array.isArray(stored)) return [];
  const byId = new Map<Id, ListedSession>();
  for (const entry of stored) {
    const session = parseSession(entry);
    if (session !== null && !byId.has(session.id)) byId.set(session.id, session);
  }
  return inOrder([...byId.values()]);
}

function parseSession(entry: unknown): ListedSession | null {
  const { id, name, createdAt, lastUsedAt } = fieldsOf(entry);
  if (typeof id !== "string" || !isSessionId(id)) return null;
  if (!isTime(createdAt) || !isTime(lastUsedAt)) return null;
  const given = typeof name === "string" ? name.trim().slice(0, MAX_NAME_LENGTH) : "";
  return { id, name: given === "" ? null : given, createdAt, lastUsedAt };
}

/** Up to the last moment that a `Date` can hold. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 8.64e15;
}

function change(edit: (sessions: readonly ListedSession[]) => readonly ListedSession[]): void {
  // From what is stored, not from what this tab last saw: another tab may have added one.
  const sessions = inOrder(edit(parseSessions(readStored(KEY))));
  writeStored(KEY, JSON.stringify(sessions));
  sessionList.setState({ sessions });
}

function inOrder(sessions: readonly ListedSession[]): readonly ListedSession[] {
  return [...sessions].sort((a, b) => b.lastUsedAt - a.lastUsedAt).slice(0, MAX_SESSIONS);
}
