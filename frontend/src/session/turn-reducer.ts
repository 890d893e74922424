/** What an event changes in its turn. Pure. */
import type {
  AssistantMessage,
  OpenAIEvent,
  OpenAIResponseEvent,
  ReasoningMessage,
  ServerFrame,
  ToolCallEvent,
  ToolResultEvent,
  TurnFinished,
} from "@/protocol/events.gen";
import type { Frame } from "@/protocol/guard";
import type { Id, Item, ModelCall, Text, ToolCall, Turn } from "@/session/state";

/** The event's own position, its time, and the attempt that it belongs to (0: none). */
export type Stamp = { readonly id: Id; readonly at: number; readonly attempt: number };

export type TurnFrame = { readonly known: ServerFrame } | { readonly unknown: Frame };

/** The turn after the event; the same object when nothing changed. */
export function applyToTurn(turn: Turn, event: TurnFrame, stamp: Stamp): Turn {
  if ("unknown" in event) {
    return withItem(turn, {
      ...stamp,
      kind: "unknown",
      type: event.unknown.type,
      fields: event.unknown,
    });
  }
  const frame = event.known;
  if (frame.type === "turn_finished") return finish(turn, frame, stamp);
  return applyToAttempt(atAttempt(turn, stamp.attempt), frame, stamp);
}

function applyToAttempt(turn: Turn, frame: Exclude<ServerFrame, TurnFinished>, stamp: Stamp): Turn {
  switch (frame.type) {
    case "message":
      return { ...turn, content: frame.content, askedAt: stamp.at };
    case "turn_started":
      return withItem(turn, { ...stamp, kind: "attempt", worker: frame.worker });
    case "assistant":
    case "reasoning":
      return stamp.attempt < turn.attempt ? turn : applyText(turn, frame, stamp);
    case "tool_call":
      return withItem(turn, beginToolCall(frame, stamp));
    case "tool_result":
      return endToolCall(turn, frame, stamp);
    case "openai_call":
      return withItem(turn, beginModelCall(frame, stamp));
    case "openai_response":
      return endModelCall(turn, frame, stamp);
    case "custom":
      return withItem(turn, { ...stamp, kind: "custom", name: frame.name, data: frame.data });
    case "error":
      return withItem(turn, { ...stamp, kind: "error", code: frame.code, error: frame.error });
    case "connection":
    case "heartbeat":
      return turn; // in no log; an id on one changes nothing
    default:
      return unreachable(frame);
  }
}

/**
 * Tabs drop the texts of lower attempts; calls of theirs stay, marked with their attempt. Any event
 * of an attempt shows that it began: `turn_started` may have been trimmed away.
 */
function atAttempt(turn: Turn, attempt: number): Turn {
  if (attempt <= turn.attempt) return turn;
  return {
    ...turn,
    attempt,
    status: turn.status === "waiting" ? "running" : turn.status,
    items: turn.items.filter((item) => !isText(item)),
  };
}

/**
 * A piece grows its text where it stands. The whole text stands where its own event does, so that
 * a tab that saw the pieces shows the same as one that came when they had left the log.
 */
function applyText(turn: Turn, frame: AssistantMessage | ReasoningMessage, stamp: Stamp): Turn {
  const index = turn.items.findLastIndex((item) => isText(item) && item.id === frame.message_id);
  const before = turn.items[index];
  const said = before !== undefined && isText(before) ? before : null;
  if (said?.isWhole && frame.streaming) return turn;
  const text: Text = {
    kind: frame.type === "assistant" ? "text" : "reasoning",
    id: frame.message_id,
    attempt: stamp.attempt,
    at: stamp.at,
    content: (frame.streaming ? (said?.content ?? "") : "") + frame.content,
    isWhole: !frame.streaming,
  };
  if (said === null) return withItem(turn, text);
  if (frame.streaming) return withChanged(turn, index, text);
  return withItem({ ...turn, items: turn.items.toSpliced(index, 1) }, text);
}

function beginToolCall(frame: ToolCallEvent, stamp: Stamp): ToolCall {
  return {
    kind: "tool_call",
    ...spanOf(frame, stamp, frame.tool_call_id),
    toolName: frame.tool_name,
    arguments: frame.arguments,
    end: null,
  };
}

function endToolCall(turn: Turn, frame: ToolResultEvent, stamp: Stamp): Turn {
  const end = {
    at: stamp.at,
    durationMs: frame.duration_ms,
    isError: frame.is_error,
    result: frame.result,
    truncatedBytes: frame.truncated_bytes ?? 0,
  };
  const index = turn.items.findLastIndex(
    (item) => item.kind === "tool_call" && item.id === frame.tool_call_id,
  );
  const call = turn.items[index];
  if (call?.kind === "tool_call") return withChanged(turn, index, { ...call, end });
  // The log no longer has the beginning.
  const began = { ...stamp, at: stamp.at - frame.duration_ms };
  const begun = beginToolCall({ ...frame, type: "tool_call", arguments: {} }, began);
  return withItem(turn, { ...begun, end });
}

function beginModelCall(frame: OpenAIEvent, stamp: Stamp): ModelCall {
  return {
    kind: "model_call",
    ...spanOf(frame, stamp, frame.call_id),
    model: frame.model,
    provider: frame.provider,
    end: null,
  };
}

function endModelCall(turn: Turn, frame: OpenAIResponseEvent, stamp: Stamp): Turn {
  const end = {
    at: stamp.at,
    durationMs: frame.duration_ms,
    isError: frame.is_error,
    promptTokens: frame.prompt_tokens ?? null,
    completionTokens: frame.completion_tokens ?? null,
    totalTokens: frame.total_tokens ?? null,
    timeToFirstTokenMs: frame.time_to_first_token_ms ?? null,
    finishReason: frame.finish_reason ?? null,
  };
  const index = turn.items.findLastIndex(
    (item) => item.kind === "model_call" && item.id === frame.call_id,
  );
  const call = turn.items[index];
  if (call?.kind === "model_call") return withChanged(turn, index, { ...call, end });
  const began = { ...stamp, at: stamp.at - frame.duration_ms };
  return withItem(turn, {
    ...beginModelCall({ ...frame, type: "openai_call", provider: "" }, began),
    end,
  });
}

function spanOf(frame: ToolCallEvent | OpenAIEvent, { at, attempt }: Stamp, id: Id) {
  return {
    id,
    at,
    attempt,
    spanId: frame.span_id ?? null,
    parentSpanId: frame.parent_span_id ?? null,
  };
}

/** On the end of a turn tabs drop the pieces that got no final. */
function finish(turn: Turn, frame: TurnFinished, stamp: Stamp): Turn {
  return {
    ...turn,
    status: frame.status,
    finishedAt: stamp.at,
    durationMs: frame.duration_ms ?? null,
    usage: frame.usage ?? null,
    error: frame.error ?? null,
    items: turn.items.filter((item) => !isText(item) || item.isWhole),
  };
}

function withItem(turn: Turn, item: Item): Turn {
  return { ...turn, items: [...turn.items, item] };
}

function withChanged(turn: Turn, index: number, item: Item): Turn {
  return { ...turn, items: turn.items.with(index, item) };
}

export function isText(item: Item): item is Text {
  return item.kind === "text" || item.kind === "reasoning";
}

function unreachable(frame: never): never {
  throw new Error(`a type that the guard knows and the reducer does not: ${JSON.stringify(frame)}`);
}
