import { describe, expect, it } from "vitest";
import { sessionTotals, totalsOf, workedMsAt } from "@/lib/turn-totals";
import type { Turn } from "@/session/state";
import { FrameWriter, START, stateAfter, TURN } from "@/test/builders";

const at = (ms: number) => ({ timestamp: new Date(START + ms).toISOString() });

function turnOf(frames: unknown[]): Turn {
  return stateAfter(frames as never[]).turns[0] as Turn;
}

describe("the totals of a turn", () => {
  it("count calls, tokens, errors and the seconds of the worker", () => {
    const log = new FrameWriter();
    const totals = totalsOf(
      turnOf([
        log.message(at(0)),
        log.started(at(100)),
        log.modelCall(),
        log.modelResponse({ prompt_tokens: 11, completion_tokens: 7 }),
        log.toolCall(),
        log.toolResult({ is_error: true }),
        log.modelCall({ call_id: "model-2" }),
        log.modelResponse({ call_id: "model-2", prompt_tokens: 20, completion_tokens: 1 }),
        log.finished({ ...at(900), duration_ms: 790 }),
      ]),
    );
    expect(totals).toEqual({
      modelCalls: 2,
      toolCalls: 1,
      promptTokens: 31,
      completionTokens: 8,
      errors: 1,
      workedMs: 790,
      workingSince: null,
    });
  });

  it("count on while the turn runs", () => {
    const log = new FrameWriter();
    const totals = totalsOf(turnOf([log.message(at(0)), log.started(at(100))]));
    expect(workedMsAt(totals, START + 600)).toBe(500);
    expect(workedMsAt(totals, START)).toBe(0);
  });

  it("time all attempts, for the worker measured only the last", () => {
    const log = new FrameWriter();
    const totals = totalsOf(
      turnOf([
        log.started(at(100)),
        log.started({ ...at(5000), attempt: 2 }),
        log.finished({ ...at(6000), attempt: 2, duration_ms: 990 }),
      ]),
    );
    expect(totals.workedMs).toBe(5900);
  });

  it("take what the worker counted where the calls are not known", () => {
    const log = new FrameWriter();
    const totals = totalsOf(turnOf([log.started(), log.finished()]));
    expect([totals.promptTokens, totals.completionTokens]).toEqual([11, 7]);
  });

  it("count a failure once, also when no event says it", () => {
    const log = new FrameWriter();
    const error = { code: "internal", error: "No." };
    const turn = turnOf([log.started(), log.finished({ status: "failed", error })]);
    expect(totalsOf(turn).errors).toBe(1);
  });

  it("have no tokens when nobody counted, which is not none", () => {
    const log = new FrameWriter();
    const totals = totalsOf(turnOf([log.started(), log.modelCall()]));
    expect(totals.promptTokens).toBeNull();
  });
});

describe("the totals of a session", () => {
  it("are the sums of its turns and of what has no turn", () => {
    const log = new FrameWriter();
    const state = stateAfter([
      log.event("error", { turn_id: undefined, code: "internal", error: "No.", retryable: false }),
      log.message(),
      log.started(),
      log.modelCall(),
      log.modelResponse(),
      log.finished({ duration_ms: 400 }),
      log.message({ turn_id: `${TURN}-2` }),
      log.started({ turn_id: `${TURN}-2` }),
      log.toolCall({ turn_id: `${TURN}-2` }),
      log.finished({ turn_id: `${TURN}-2`, duration_ms: 300, usage: null }),
    ]);
    expect(sessionTotals(state.turns, state.strays)).toMatchObject({
      turns: 2,
      modelCalls: 1,
      toolCalls: 1,
      promptTokens: 11,
      completionTokens: 7,
      errors: 1,
      workedMs: 700,
    });
  });
});
