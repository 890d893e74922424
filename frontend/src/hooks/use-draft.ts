/**
 * What is typed and not sent, kept for each session as long as the tab lives: a reload or a look at
 * another session loses nothing. `sessionStorage` may be missing or full; then it is just not kept.
 */
import { useCallback, useState } from "react";
import { DRAFT_PREFIX as PREFIX } from "@/lib/tab-storage";

/** Longer than any message may be, in UTF-16 units. */
const LONGEST = 70_000;
const MOST_DRAFTS = 20;

/** The draft of one session, and how to change it. */
export function useDraft(sessionId: string): readonly [string, (text: string) => void] {
  const [draft, setDraft] = useState(() => ({ sessionId, text: readDraft(sessionId) }));
  let current = draft;
  if (draft.sessionId !== sessionId) {
    current = { sessionId, text: readDraft(sessionId) };
    setDraft(current);
  }
  const change = useCallback(
    (text: string) => {
      setDraft({ sessionId, text });
      writeDraft(sessionId, text);
    },
    [sessionId],
  );
  return [current.text, change];
}

function readDraft(sessionId: string): string {
  try {
    return window.sessionStorage.getItem(PREFIX + sessionId) ?? "";
  } catch {
    return "";
  }
}

function writeDraft(sessionId: string, text: string): void {
  const key = PREFIX + sessionId;
  try {
    const storage = window.sessionStorage;
    if (text === "" || text.length > LONGEST) {
      storage.removeItem(key);
      return;
    }
    if (storage.getItem(key) === null) makeRoom(storage);
    storage.setItem(key, text);
  } catch {
    // Kept in the field alone.
  }
}

function makeRoom(storage: Storage): void {
  const kept = Object.keys(storage).filter((key) => key.startsWith(PREFIX));
  for (const key of kept.slice(0, Math.max(0, kept.length - MOST_DRAFTS + 1))) {
    storage.removeItem(key);
  }
}
