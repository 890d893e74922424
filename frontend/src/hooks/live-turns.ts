/**
 * Which turns this page has seen happen, and what happened in them since it last looked.
 *
 * The same turns come again when a page loads, resumes or starts over from the log. Only what was
 * unfinished before the eyes of this page is live; everything else is history, and silent.
 */
import type { Position } from "@/protocol/position";
import type { Message } from "@/session/messages";
import type { Id, ToolCall, Turn } from "@/session/state";
import { isOver } from "@/session/turn-status";

/** What the page knows of each turn. A turn that is `over` never becomes live again. */
type Witnessed = {
  readonly isOver: boolean;
  readonly hasStarted: boolean;
  readonly toolCalls: number;
};

export type LiveTurns = {
  /** False until the log has been shown: what comes before is history. */
  readonly isFollowing: boolean;
  readonly head: Position | null;
  readonly witnessed: ReadonlyMap<Id, Witnessed>;
};

export type Happening =
  | { readonly kind: "started"; readonly turn: Turn }
  | { readonly kind: "tool_call"; readonly turn: Turn; readonly call: ToolCall }
  | { readonly kind: "finished"; readonly turn: Turn };

export type Seen = {
  readonly turns: readonly Turn[];
  readonly isLoaded: boolean;
  /** What the log ended with when the socket opened: another object for each time that one did. */
  readonly head: Position | null;
  /** Messages of this tab that are on their way: their turns are live, however fast they are over. */
  readonly pending: readonly Id[];
};

export const NOTHING_WITNESSED: LiveTurns = {
  isFollowing: false,
  head: null,
  witnessed: new Map(),
};

/** What happened between the last look and this one, in order. Looking twice tells nothing twice. */
export function follow(
  before: LiveTurns,
  seen: Seen,
): { readonly after: LiveTurns; readonly happenings: readonly Happening[] } {
  if (!seen.isLoaded) return { after: { ...before, isFollowing: false }, happenings: [] };
  const witnessed = new Map(before.witnessed);
  const happenings: Happening[] = [];
  for (const id of seen.pending) {
    if (!witnessed.has(id)) witnessed.set(id, UNSTARTED);
  }
  for (const turn of seen.turns) {
    const known = witnessed.get(turn.id);
    if (known?.isOver) continue;
    const last = known ?? (isLive(turn, before, seen) ? UNSTARTED : null);
    if (last !== null) happenings.push(...happeningsOf(turn, last));
    witnessed.set(turn.id, witnessOf(turn));
  }
  return {
    after: { isFollowing: true, head: seen.head, witnessed },
    // After a gap only how a reply ended is news, not each step that led there.
    happenings: isUnbroken(before, seen) ? happenings : happenings.filter(isEnd),
  };
}

/** Whether no socket has opened since the last look: what is new came after the head, then. */
function isUnbroken(before: LiveTurns, { head }: Seen): boolean {
  return before.isFollowing && before.head === head;
}

/** Whether a turn never seen before happens now, however fast it was over. */
function isLive(turn: Turn, before: LiveTurns, seen: Seen): boolean {
  return isUnbroken(before, seen) || (before.isFollowing && !isOver(turn.status));
}

/** Whether some turn is being answered. */
export function isAnyRunning(turns: readonly Turn[]): boolean {
  return turns.some((turn) => turn.status === "running");
}

const UNSTARTED: Witnessed = { isOver: false, hasStarted: false, toolCalls: 0 };

function isEnd(happening: Happening): boolean {
  return happening.kind === "finished";
}

function toolCallsOf(turn: Turn): readonly ToolCall[] {
  return turn.items.filter((item): item is ToolCall => item.kind === "tool_call");
}

function witnessOf(turn: Turn): Witnessed {
  return {
    isOver: isOver(turn.status),
    hasStarted: turn.attempt > 0,
    toolCalls: toolCallsOf(turn).length,
  };
}

function happeningsOf(turn: Turn, last: Witnessed): readonly Happening[] {
  const happenings: Happening[] = [];
  if (!last.hasStarted && turn.status === "running") happenings.push({ kind: "started", turn });
  for (const call of toolCallsOf(turn).slice(last.toolCalls)) {
    happenings.push({ kind: "tool_call", turn, call });
  }
  if (isOver(turn.status)) happenings.push({ kind: "finished", turn });
  return happenings;
}

/** The messages of this tab that the log has not shown yet. */
export function pendingIdsOf(messages: readonly Message[]): readonly Id[] {
  return messages
    .filter((message) => message.role === "user" && message.pending !== null)
    .map((message) => message.id);
}
