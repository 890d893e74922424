import { useCallback, useState } from "react";
import type { Id, Turn } from "@/session/state";

export type OpenTurns = {
  /** What the reader has opened or closed; that stays as it was left. */
  readonly choices: ReadonlyMap<Id, boolean>;
  readonly set: (turnId: Id, isOpen: boolean) => void;
  /** Keeps a turn open that may be open only by itself. */
  readonly keep: (turnId: Id) => void;
  readonly setAll: (turns: readonly Turn[], isOpen: boolean) => void;
};

/** Open are the newest turn and what runs, unless the reader has chosen otherwise. */
export function isTurnOpen(turn: Turn, newestId: Id, choices: ReadonlyMap<Id, boolean>): boolean {
  return choices.get(turn.id) ?? (turn.id === newestId || turn.status === "running");
}

/** The reader's choices of what is open. Its functions stay the same ones. */
export function useOpenTurns(): OpenTurns {
  const [choices, setChoices] = useState<ReadonlyMap<Id, boolean>>(new Map());
  const set = useCallback((turnId: Id, isOpen: boolean) => {
    setChoices((before) => new Map(before).set(turnId, isOpen));
  }, []);
  const keep = useCallback((turnId: Id) => {
    setChoices((before) => (before.has(turnId) ? before : new Map(before).set(turnId, true)));
  }, []);
  const setAll = useCallback((turns: readonly Turn[], isOpen: boolean) => {
    setChoices(new Map(turns.map((turn) => [turn.id, isOpen])));
  }, []);
  return { choices, set, keep, setAll };
}
