/** The rows of a turn's waterfall, one for each event that is telemetry. Pure. */
import type { Call, Id, TelemetryItem, Turn, TurnStatus } from "@/session/state";
import { isOver } from "@/session/turn-status";

export type RowKind = "queue" | "attempt" | "model" | "tool" | "custom" | "error" | "unknown";

/** `no result`: a call whose end never came. `lost`: an attempt that another one took over. */
export type RowStatus =
  | "waiting"
  | "running"
  | "done"
  | "failed"
  | "stopped"
  | "lost"
  | "no result";

export type Row = {
  /** Unique among the rows of its turn. */
  readonly key: string;
  readonly turnId: Id;
  /** Null for the wait in the queue, which is no event. */
  readonly item: TelemetryItem | null;
  readonly kind: RowKind;
  readonly name: string;
  /** What the name leaves open, such as an error's sentence; empty when nothing. */
  readonly note: string;
  /** Null for what merely happened. */
  readonly status: RowStatus | null;
  /** 0 for what belongs to no attempt. */
  readonly attempt: number;
  /** It belongs to an attempt that another one took over. */
  readonly isOfLostAttempt: boolean;
  /** By the clock of who made it. */
  readonly at: number;
  /** After the beginning of the axis. */
  readonly startMs: number;
  /** Null while it grows, and for what has no known length. */
  readonly durationMs: number | null;
  readonly isGrowing: boolean;
  /** The row that it is nested in. */
  readonly parentKey: string | null;
};

/** What every row of a turn is made from, besides its event. */
export type TurnTimes = {
  readonly turn: Turn;
  readonly items: readonly TelemetryItem[];
  /** What the axis begins with. */
  readonly zero: number;
};

/** The rows in the order of the log, none nested yet. */
export function rowsOf(times: TurnTimes): readonly Row[] {
  const keys = new Set<string>();
  const rows = times.items.map((item) => {
    // Ids are their maker's, and nobody makes sure that they differ.
    let key = `${item.kind}/${item.attempt}/${item.id}`;
    while (keys.has(key)) key += "+";
    keys.add(key);
    return rowOf(item, key, times);
  });
  return [...queueRows(times), ...rows];
}

/** The wait from the question to the first attempt, when both of its ends can be known. */
function queueRows({ turn, items, zero }: TurnTimes): readonly Row[] {
  if (turn.askedAt === null) return [];
  const first = items.find((item) => item.kind === "attempt");
  if (first !== undefined && first.attempt > 1) return []; // the log begins later than the turn
  const end = first?.at ?? (turn.status === "waiting" ? null : turn.finishedAt);
  if (end === null && turn.status !== "waiting") return [];
  const isStopped = first === undefined && isOver(turn.status);
  return [
    {
      key: "queue",
      turnId: turn.id,
      item: null,
      kind: "queue",
      name: end === null ? "Waiting for a worker" : "Waited for a worker",
      note: "",
      status: end === null ? "waiting" : isStopped ? "stopped" : "done",
      attempt: 0,
      isOfLostAttempt: false,
      at: turn.askedAt,
      startMs: end === null ? turn.askedAt - zero : Math.min(turn.askedAt, end) - zero,
      durationMs: end === null ? null : Math.max(0, end - turn.askedAt),
      isGrowing: end === null,
      parentKey: null,
    },
  ];
}

function rowOf(item: TelemetryItem, key: string, times: TurnTimes): Row {
  const { turn, zero } = times;
  return {
    key,
    turnId: turn.id,
    item,
    attempt: item.attempt,
    isOfLostAttempt: item.attempt > 0 && item.attempt < turn.attempt,
    at: item.at,
    startMs: item.at - zero,
    parentKey: null,
    durationMs: null,
    isGrowing: false,
    ...describe(item, times),
  };
}

type Described = Pick<Row, "kind" | "name" | "note" | "status"> &
  Partial<Pick<Row, "durationMs" | "isGrowing">>;

function describe(item: TelemetryItem, times: TurnTimes): Described {
  switch (item.kind) {
    case "model_call":
      return { kind: "model", name: item.model, note: "", ...progressOf(item, times) };
    case "tool_call":
      return { kind: "tool", name: item.toolName, note: "", ...progressOf(item, times) };
    case "attempt":
      return { kind: "attempt", name: item.worker, note: "", ...attemptOf(item, times) };
    case "custom":
      return { kind: "custom", name: item.name, note: "", status: null };
    case "error":
      return { kind: "error", name: item.code, note: item.error, status: "failed" };
    case "unknown":
      return { kind: "unknown", name: item.type, note: "", status: null };
  }
}

function progressOf(call: Call, { turn }: TurnTimes) {
  if (call.end !== null) {
    const status: RowStatus = call.end.isError ? "failed" : "done";
    return { status, durationMs: Math.max(0, call.end.durationMs) };
  }
  const isGrowing = !isOver(turn.status) && call.attempt >= turn.attempt;
  const status: RowStatus = isGrowing ? "running" : "no result";
  return { status, isGrowing };
}

const ATTEMPT_STATUS: Record<TurnStatus, RowStatus> = {
  waiting: "running",
  running: "running",
  completed: "done",
  failed: "failed",
  cancelled: "stopped",
};

/** An attempt lasts until the next one begins or the turn ends. */
function attemptOf(item: TelemetryItem, { turn, items }: TurnTimes) {
  const isLost = item.attempt < turn.attempt;
  const next = isLost
    ? items.find(({ kind, attempt }) => kind === "attempt" && attempt > item.attempt)
    : undefined;
  const end = isLost ? next?.at : (turn.finishedAt ?? undefined);
  const status: RowStatus = isLost ? "lost" : ATTEMPT_STATUS[turn.status];
  const durationMs = end === undefined ? null : Math.max(0, end - item.at);
  return { status, durationMs, isGrowing: !isLost && !isOver(turn.status) };
}
