/** What a turn came to, in a few words under its answer. Pure. */
import type { Item, ModelCall, ToolCall, Turn } from "@/session/state";

type Called = ToolCall | ModelCall;

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

/** "120 ms", "4.1 s", "2 min 5 s". */
export function formatDuration(ms: number): string {
  // What would round up to 1000 ms or to 60.0 s belongs to the next unit.
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function callsOf(turn: Turn): readonly Called[] {
  return turn.items.filter(
    (item: Item): item is Called =>
      (item.kind === "tool_call" || item.kind === "model_call") && item.attempt === turn.attempt,
  );
}

/** What the providers counted; null when no call has a count. */
function sumTokens(calls: readonly Called[]): number | null {
  const counts = calls.flatMap((call) => (call.kind === "model_call" ? tokensOf(call) : []));
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}

function tokensOf({ end }: ModelCall): number[] {
  if (end === null) return [];
  if (end.totalTokens !== null) return [end.totalTokens];
  if (end.promptTokens === null && end.completionTokens === null) return [];
  return [(end.promptTokens ?? 0) + (end.completionTokens ?? 0)];
}
