/** What turns come to: calls, tokens, seconds, errors. Pure; a turn that stays the same costs once. */
import type { TelemetryItem, Turn } from "@/session/state";
import { telemetryOfTurn } from "@/session/telemetry";
import { isOver } from "@/session/turn-status";

export type Totals = {
  readonly modelCalls: number;
  readonly toolCalls: number;
  /** Of every attempt, for each was paid for. Null when no provider gave a count. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Failed calls and errors; a failed turn that says nothing of its own counts as one. */
  readonly errors: number;
  /** The time that workers spent, as far as it is over. */
  readonly workedMs: number;
  /** When the work that goes on began; null when none does. */
  readonly workingSince: number | null;
};

export type SessionTotals = Totals & { readonly turns: number };

const NOTHING: Totals = {
  modelCalls: 0,
  toolCalls: 0,
  promptTokens: null,
  completionTokens: null,
  errors: 0,
  workedMs: 0,
  workingSince: null,
};

const cache = new WeakMap<Turn, Totals>();

export function totalsOf(turn: Turn): Totals {
  let totals = cache.get(turn);
  if (totals === undefined) {
    totals = sumOfTurn(turn);
    cache.set(turn, totals);
  }
  return totals;
}

/** The sums over a session. Of turns at work at once, which are none, the first would be timed. */
export function sessionTotals(
  turns: readonly Turn[],
  strays: readonly TelemetryItem[],
): SessionTotals {
  const sums = turns.map(totalsOf).reduce(add, sumOfItems(strays));
  return { ...sums, turns: turns.length };
}

/** The worked time at `now`, by the clock of those who work. */
export function workedMsAt({ workedMs, workingSince }: Totals, now: number): number {
  return workedMs + (workingSince === null ? 0 : Math.max(0, now - workingSince));
}

function sumOfTurn(turn: Turn): Totals {
  const items = telemetryOfTurn(turn);
  const sums = sumOfItems(items);
  const began = items.find((item) => item.kind === "attempt")?.at ?? turn.askedAt;
  const isUnsaid = turn.status === "failed" && sums.errors === 0;
  return {
    ...sums,
    promptTokens: sums.promptTokens ?? turn.usage?.prompt_tokens ?? null,
    completionTokens: sums.completionTokens ?? turn.usage?.completion_tokens ?? null,
    errors: isUnsaid ? 1 : sums.errors,
    workedMs: isOver(turn.status) ? workedMsOf(turn, began) : 0,
    workingSince: turn.status === "running" ? began : null,
  };
}

/** As the worker measured it; over several attempts only the clock knows. */
function workedMsOf(turn: Turn, began: number | null): number {
  if (turn.attempt <= 1 && turn.durationMs !== null) return Math.max(0, turn.durationMs);
  if (turn.attempt === 0 || began === null || turn.finishedAt === null) return 0;
  return Math.max(0, turn.finishedAt - began);
}

function sumOfItems(items: readonly TelemetryItem[]): Totals {
  let { modelCalls, toolCalls, promptTokens, completionTokens, errors } = NOTHING;
  for (const item of items) {
    if (item.kind === "tool_call") toolCalls += 1;
    if (item.kind === "model_call") {
      modelCalls += 1;
      promptTokens = plus(promptTokens, item.end?.promptTokens ?? null);
      completionTokens = plus(completionTokens, item.end?.completionTokens ?? null);
    }
    if (item.kind === "error" || ("end" in item && item.end?.isError)) errors += 1;
  }
  return { ...NOTHING, modelCalls, toolCalls, promptTokens, completionTokens, errors };
}

function add(some: Totals, more: Totals): Totals {
  return {
    modelCalls: some.modelCalls + more.modelCalls,
    toolCalls: some.toolCalls + more.toolCalls,
    promptTokens: plus(some.promptTokens, more.promptTokens),
    completionTokens: plus(some.completionTokens, more.completionTokens),
    errors: some.errors + more.errors,
    workedMs: some.workedMs + more.workedMs,
    workingSince: some.workingSince ?? more.workingSince,
  };
}

function plus(some: number | null, more: number | null): number | null {
  return more === null ? some : (some ?? 0) + more;
}
