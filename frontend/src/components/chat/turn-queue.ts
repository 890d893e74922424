/** Which turns wait for which: a session's turns run one after the other. Pure. */
import type { Id, Turn } from "@/session/state";
import { isOver } from "@/session/turn-status";

/** For each turn that waits, how many are answered before it. */
export function turnsBeforeOf(turns: readonly Turn[]): ReadonlyMap<Id, number> {
  const before = new Map<Id, number>();
  let unfinished = 0;
  for (const turn of turns) {
    if (turn.status === "waiting") before.set(turn.id, unfinished);
    if (!isOver(turn.status)) unfinished += 1;
  }
  return before;
}

/** The turn that a stop is for: the running one, else the one that waits last; null for none. */
export function stoppableOf(turns: readonly Turn[]): Id | null {
  const turn =
    turns.findLast(({ status }) => status === "running") ??
    turns.findLast(({ status }) => status === "waiting");
  return turn?.id ?? null;
}
