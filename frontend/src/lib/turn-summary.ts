/** What a turn came to, in a few words under its answer. Pure. */
import { formatDuration } from "@/lib/durations";
import type { Call, Item, TelemetryItem, Turn } from "@/session/state";

/**
 * "3 tools", "2 model calls", "1,240 tokens", "4.1 s", of the last attempt, whose answer they stand
 * under. What is not known, or none, is left out; while the turn runs, what is known so far.
 */
export function turnSummary(turn: Turn): string[] {
  const calls = callsOf(turn);
  const tools = calls.filter((call) => call.kind === "tool_call").length;
  const tokens = turn.usage?.total_tokens ?? sumTokens(calls);
  const parts = [
    tools > 0 && counted(tools, "tool"),
    calls.length > tools && counted(calls.length - tools, "model call"),
    tokens !== null && counted(tokens, "token"),
    turn.durationMs !== null && formatDuration(turn.durationMs),
  ];
  return parts.filter((part) => part !== false);
}

/** "1 tool", "2 tools", "1,240 tokens". */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function callsOf(turn: Turn): readonly Call[] {
  return turn.items.filter(
    (item: Item): item is Call =>
      (item.kind === "tool_call" || item.kind === "model_call") && item.attempt === turn.attempt,
  );
}

/** What the providers counted; null when no call has a count. */
function sumTokens(calls: readonly Call[]): number | null {
  const counts = calls.map(tokenCountOf).filter((count) => count !== null);
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}

/** A model call's tokens, in and out together; null when its provider gave no count. */
export function tokenCountOf(item: TelemetryItem): number | null {
  if (item.kind !== "model_call" || item.end === null) return null;
  const { promptTokens, completionTokens, totalTokens } = item.end;
  if (totalTokens !== null) return totalTokens;
  if (promptTokens === null && completionTokens === null) return null;
  return (promptTokens ?? 0) + (completionTokens ?? 0);
}
