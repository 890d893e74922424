/**
 * What a frame changes. Pure: no clock, no socket, no React.
 *
 * The position is the only dedupe: an event at or before the cursor changes nothing, and then the
 * very same object is returned. Holes are legal and mean nothing (the gateway heals gaps).
 */
import type { ConnectionStatus } from "@/protocol/events.gen";
import { type Fields, type Frame, isKnown } from "@/protocol/guard";
import { comparePositions, type Position, parsePosition } from "@/protocol/position";
import {
  EMPTY_SESSION,
  type Item,
  type SessionState,
  type TelemetryItem,
  type Turn,
} from "@/session/state";
import { applyToTurn, isText, type TurnFrame } from "@/session/turn-reducer";

/** What one page keeps of a session that it follows for days; the log keeps less. */
const MAX_TURNS = 2000;
const MAX_STRAYS = 1000;

/** The state after `frame`. `now` is this machine's time of arrival, in milliseconds since 1970. */
export function applyFrame(state: SessionState, frame: Frame, now: number): SessionState {
  if (typeof frame.id !== "string") {
    return frame.type === "connection" && isKnown(frame)
      ? applyConnection(state, frame as ConnectionStatus, now)
      : state;
  }
  const position = parsePosition(frame.id);
  if (position === null || !isNew(state, position)) return state;
  return { ...applyEvent(state, frame, frame.id), cursor: position };
}

function applyConnection(state: SessionState, frame: ConnectionStatus, now: number): SessionState {
  if (frame.status !== "connected") return state;
  const serverTime = Date.parse(frame.server_time ?? "");
  return {
    ...(frame.reset ? EMPTY_SESSION : state),
    isOpened: true,
    head: frame.head === null ? null : parsePosition(frame.head),
    isTruncated: Boolean(frame.truncated) || (!frame.reset && state.isTruncated),
    clockSkewMs: Number.isNaN(serverTime) ? state.clockSkewMs : serverTime - now,
  };
}

/**
 * Within an epoch every later position is new. A step to a later epoch is right in the replay that
 * `connection` announced, up to its head, and nowhere else: live it comes only after a reset.
 */
function isNew({ cursor, head }: SessionState, position: Position): boolean {
  if (cursor === null) return true;
  const isReplayed = head !== null && comparePositions(position, head) <= 0;
  return comparePositions(position, cursor) > 0 && (position.epoch === cursor.epoch || isReplayed);
}

function applyEvent(state: SessionState, frame: Frame, id: string): SessionState {
  const event: TurnFrame = isKnown(frame) ? { known: frame } : { unknown: frame };
  const turnId = textOf(frame, "turn_id");
  const stamp = {
    id,
    at: Date.parse(textOf(frame, "timestamp") ?? "") || 0,
    attempt: typeof frame.attempt === "number" ? frame.attempt : 0,
  };
  if (turnId === null) {
    const found = applyToTurn(newTurn(""), event, stamp).items.filter(isTelemetry);
    return { ...state, strays: [...state.strays, ...found].slice(-MAX_STRAYS) };
  }
  // A turn that changes is nearly always the last: looking from the end is a step or two.
  const index = state.turns.findLastIndex((turn) => turn.id === turnId);
  const turn = state.turns[index] ?? newTurn(turnId);
  const changed = applyToTurn(turn, event, stamp);
  const traceId = changed.traceId ?? textOf(frame, "trace_id");
  const next = traceId === changed.traceId ? changed : { ...changed, traceId };
  if (index >= 0) return { ...state, turns: state.turns.with(index, next) };
  return {
    ...state,
    isTruncated: state.isTruncated || state.turns.length >= MAX_TURNS,
    turns: [...state.turns, next].slice(-MAX_TURNS),
  };
}

function isTelemetry(item: Item): item is TelemetryItem {
  return !isText(item);
}

function newTurn(id: string): Turn {
  return {
    id,
    content: null,
    askedAt: null,
    traceId: null,
    status: "waiting",
    attempt: 0,
    items: [],
    finishedAt: null,
    durationMs: null,
    usage: null,
    error: null,
  };
}

function textOf(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : null;
}
