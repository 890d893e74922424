/** The facts of a row, in the order in which its details tell them. Pure. */
import { formatClock, formatDuration } from "@/lib/durations";
import { counted } from "@/lib/turn-summary";
import type { Row } from "@/lib/waterfall-rows";
import type { Id, ModelCall, TelemetryItem } from "@/session/state";

/** `trace` and `span` are those that Jaeger can show. */
export type Fact = {
  readonly label: string;
  readonly value: string;
  readonly place?: "trace" | "span";
};

/** What is not known is left out. */
export function factsOf(row: Row, traceId: Id | null): readonly Fact[] {
  const { item } = row;
  const facts: (Fact | null)[] = [
    fact("Status", row.status),
    fact("Error", row.note || null),
    ...(item === null ? [] : factsOfItem(item)),
    fact("Started", formatClock(row.at)),
    fact("Duration", row.durationMs === null ? null : formatDuration(row.durationMs)),
    ...(item?.kind === "model_call" ? factsOfAnswer(item) : []),
    fact("Attempt", row.attempt > 0 ? String(row.attempt) : null),
    fact("Span", spanOf(item), "span"),
    fact("Parent span", item !== null && "parentSpanId" in item ? item.parentSpanId : null),
    fact("Trace", traceId, "trace"),
  ];
  return facts.filter((each) => each !== null);
}

/** The span that the row is, when it is one. */
export function spanOf(item: TelemetryItem | null): Id | null {
  return item !== null && "spanId" in item ? item.spanId : null;
}

function factsOfItem(item: TelemetryItem): readonly (Fact | null)[] {
  switch (item.kind) {
    case "tool_call":
      return [fact("Tool", item.toolName), fact("Tool call id", item.id), cutOf(item.end)];
    case "model_call":
      return [
        fact("Model", item.model),
        fact("Provider", item.provider || null),
        fact("Call id", item.id),
      ];
    case "attempt":
      return [fact("Worker", item.worker)];
    case "custom":
      return [fact("Name", item.name), fact("Event", item.id)];
    case "error":
      return [fact("Code", item.code), fact("Event", item.id)];
    case "unknown":
      return [fact("Type", item.type), fact("Event", item.id)];
  }
}

function factsOfAnswer({ end }: ModelCall): readonly (Fact | null)[] {
  if (end === null) return [];
  const first = end.timeToFirstTokenMs;
  return [
    fact("First token after", first === null ? null : formatDuration(first)),
    fact("Tokens in", number(end.promptTokens)),
    fact("Tokens out", number(end.completionTokens)),
    fact("Tokens in all", number(end.totalTokens)),
    fact("Finish reason", end.finishReason),
  ];
}

function cutOf(end: { truncatedBytes: number } | null): Fact | null {
  const bytes = end?.truncatedBytes ?? 0;
  return fact("Cut off", bytes > 0 ? counted(bytes, "byte") : null);
}

function fact(label: string, value: string | null, place?: Fact["place"]): Fact | null {
  return value === null ? null : { label, value, place };
}

function number(count: number | null): string | null {
  return count === null ? null : String(count);
}
