/**
 * What a session's events add up to. Values only: everything is read-only, and a change makes a new
 * object of exactly what changed, so that identity tells what to render again.
 *
 * Times are milliseconds since 1970 by the clock of the process that made the event.
 */
import type { ErrorMessage, TurnFinished } from "@/protocol/events.gen";
import type { Position } from "@/protocol/position";

export type Id = string;

/** One text of a model step: what is told (`text`) or shown of the thinking (`reasoning`). */
export type Text = {
  readonly kind: "text" | "reasoning";
  /** The `message_id`, by which pieces find their text. */
  readonly id: Id;
  readonly attempt: number;
  /** Of the last piece, or of the whole. */
  readonly at: number;
  readonly content: string;
  /** The whole text has come; until then `content` grows. */
  readonly isWhole: boolean;
};

type Span = {
  readonly id: Id;
  readonly attempt: number;
  /** When it began. */
  readonly at: number;
  readonly spanId: string | null;
  readonly parentSpanId: string | null;
};

export type ToolCallEnd = {
  readonly at: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly result: string;
  /** How many bytes of the result were cut off; 0 when none. */
  readonly truncatedBytes: number;
};

/** A tool call; `end` is null while it runs. */
export type ToolCall = Span & {
  readonly kind: "tool_call";
  readonly toolName: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly end: ToolCallEnd | null;
};

export type ModelCallEnd = {
  readonly at: number;
  readonly durationMs: number;
  readonly isError: boolean;
  /** Null when the provider gave no count. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly totalTokens: number | null;
  readonly timeToFirstTokenMs: number | null;
  readonly finishReason: string | null;
};

/** A model call; `end` is null while it runs. */
export type ModelCall = Span & {
  readonly kind: "model_call";
  readonly model: string;
  readonly provider: string;
  readonly end: ModelCallEnd | null;
};

type Fact = { readonly id: Id; readonly attempt: number; readonly at: number };

/** An execution of the turn by a worker began. */
export type AttemptStart = Fact & { readonly kind: "attempt"; readonly worker: string };

/** What an agent emitted of its own. */
export type CustomEvent = Fact & {
  readonly kind: "custom";
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** An error that stands in the log. */
export type Failure = Fact & {
  readonly kind: "error";
  readonly code: ErrorMessage["code"];
  readonly error: string;
};

/** An event of a type that this page does not know: kept, and shown as what it is. */
export type UnknownEvent = Fact & {
  readonly kind: "unknown";
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type Call = ToolCall | ModelCall;
/** What the telemetry panel shows as rows. */
export type TelemetryItem = Call | AttemptStart | CustomEvent | Failure | UnknownEvent;
export type Item = Text | TelemetryItem;

export type TurnStatus = "waiting" | "running" | TurnFinished["status"];

/** One user message and everything that answers it. `id` is the message's id. */
export type Turn = {
  readonly id: Id;
  /** What the user said; null when the log no longer has it. */
  readonly content: string | null;
  readonly askedAt: number | null;
  readonly traceId: string | null;
  readonly status: TurnStatus;
  /** The highest attempt so far; 0 before the first. */
  readonly attempt: number;
  /** In the order of the log. Texts of lower attempts are gone, calls of theirs are kept. */
  readonly items: readonly Item[];
  readonly finishedAt: number | null;
  /** Of the last attempt, as the worker measured it. */
  readonly durationMs: number | null;
  readonly usage: TurnFinished["usage"];
  readonly error: NonNullable<TurnFinished["error"]> | null;
};

export type SessionState = {
  /** Of the last applied event: the point to resume from, and the only dedupe. */
  readonly cursor: Position | null;
  /** The head that `connection` named: what lies up to it is history, what comes after is live. */
  readonly head: Position | null;
  /** A `connection` frame has come, so `head` is known. */
  readonly isOpened: boolean;
  /** The log no longer has its beginning. */
  readonly isTruncated: boolean;
  /** The gateway's clock minus ours, in milliseconds. */
  readonly clockSkewMs: number;
  /** In the order of acceptance. */
  readonly turns: readonly Turn[];
  /** Events that belong to no turn. */
  readonly strays: readonly TelemetryItem[];
};

export const EMPTY_SESSION: SessionState = {
  cursor: null,
  head: null,
  isOpened: false,
  isTruncated: false,
  clockSkewMs: 0,
  turns: [],
  strays: [],
};

/** A message of this tab that the log has not shown yet. */
export type PendingMessage = {
  readonly id: Id;
  readonly content: string;
  /** By this tab's clock. */
  readonly at: number;
  /** `waiting`: for a connection. `sent`: for its echo. `refused`: `error` says why. */
  readonly state: "waiting" | "sent" | "refused";
  readonly error: SocketError | null;
};

/** What the gateway found wrong with something that this tab sent. */
export type SocketError = {
  readonly code: ErrorMessage["code"] | "too_big";
  readonly error: string;
  readonly isRetryable: boolean;
};

export type ConnectionState = "connected" | "reconnecting" | "disconnected";

/** Why there is no connection: this machine is off the network; the gateway wants a person to sign
 * in; whoever has may not open this session; it is asked too much; it will not have this socket; it
 * cannot be reached; it has lost its Redis. */
export type ConnectionReason =
  | "offline"
  | "unauthorized"
  | "forbidden"
  | "limited"
  | "refused"
  | "unreachable"
  | "unavailable";

/** A reason that is the person's own: who they are, or that they have not said so. */
export type AccessReason = Extract<ConnectionReason, "unauthorized" | "forbidden">;

export function accessReasonOf({ reason }: Pick<ConnectionView, "reason">): AccessReason | null {
  return reason === "unauthorized" || reason === "forbidden" ? reason : null;
}

export type ConnectionView = {
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  /** Sockets that were lost so far, for tests and the curious. */
  readonly reconnects: number;
};
