import { describe, expect, it } from "vitest";
import {
  createLayouts,
  elapsedMs,
  layoutTurn,
  type TurnLayout,
  turnOfStrays,
} from "@/lib/waterfall";
import type { Turn } from "@/session/state";
import { FrameWriter, START, stateAfter } from "@/test/builders";

/** Events come 10 ms apart, the first 10 ms after `START`. */
function turnAfter(write: (log: FrameWriter) => unknown[]): Turn {
  const turn = stateAfter(write(new FrameWriter()) as never[]).turns[0];
  if (turn === undefined) throw new Error("no turn");
  return turn;
}

function told(layout: TurnLayout) {
  return layout.rows.map((row) => [row.kind, row.status, row.startMs, row.durationMs]);
}

const at = (ms: number) => ({ timestamp: new Date(START + ms).toISOString() });

describe("the rows of a turn", () => {
  it("are the wait, the attempt and its calls, on one axis from the question to the end", () => {
    const turn = turnAfter((log) => [
      log.message(at(0)),
      log.started(at(400)),
      log.modelCall(at(500)),
      log.modelResponse({ ...at(800), duration_ms: 300 }),
      log.toolCall(at(810)),
      log.toolResult({ ...at(930), duration_ms: 120 }),
      log.finished(at(1000)),
    ]);
    const layout = layoutTurn(turn);
    expect(told(layout)).toEqual([
      ["queue", "done", 0, 400],
      ["attempt", "done", 400, 600],
      ["model", "done", 500, 300],
      ["tool", "done", 810, 120],
    ]);
    expect(layout.totalMs).toBe(1000);
  });

  it("begin with a wait that grows", () => {
    const layout = layoutTurn(turnAfter((log) => [log.message(at(0))]));
    expect(told(layout)).toEqual([["queue", "waiting", 0, null]]);
    expect(layout.rows[0]?.isGrowing).toBe(true);
    expect(layout.totalMs).toBeNull();
    expect(elapsedMs(layout, START + 700)).toBe(700);
  });

  it("say that a turn was stopped while it waited", () => {
    const turn = turnAfter((log) => [
      log.message(at(0)),
      log.finished({ ...at(250), attempt: undefined, status: "cancelled", duration_ms: null }),
    ]);
    expect(told(layoutTurn(turn))).toEqual([["queue", "stopped", 0, 250]]);
  });

  it("have a tool call before its result is there", () => {
    const layout = layoutTurn(
      turnAfter((log) => [log.message(at(0)), log.started(at(10)), log.toolCall(at(20))]),
    );
    expect(told(layout).at(-1)).toEqual(["tool", "running", 20, null]);
    expect(layout.rows.at(-1)?.isGrowing).toBe(true);
  });

  it("tell an attempt that was taken over as lost, and mark its calls", () => {
    const turn = turnAfter((log) => [
      log.message(at(0)),
      log.started(at(10)),
      log.toolCall(at(20)),
      log.started({ ...at(500), attempt: 2, worker: "worker-2" }),
      log.modelCall({ ...at(510), attempt: 2 }),
    ]);
    const layout = layoutTurn(turn);
    expect(told(layout)).toEqual([
      ["queue", "done", 0, 10],
      ["attempt", "lost", 10, 490],
      ["tool", "no result", 20, null],
      ["attempt", "running", 500, null],
      ["model", "running", 510, null],
    ]);
    expect(layout.rows.map((row) => row.isOfLostAttempt)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(layout.rows.map((row) => row.isGrowing)).toEqual([false, false, false, true, true]);
  });

  it("say no result for a call without an end in a turn that is over, and never let it grow", () => {
    const turn = turnAfter((log) => [
      log.message(at(0)),
      log.started(at(10)),
      log.toolCall(at(20)),
      log.finished({ ...at(90), status: "failed" }),
    ]);
    const row = layoutTurn(turn).rows.at(-1);
    expect(row).toMatchObject({ status: "no result", durationMs: null, isGrowing: false });
  });

  it("show what merely happened without a length", () => {
    const turn = turnAfter((log) => [
      log.message(at(0)),
      log.started(at(10)),
      log.event("custom", { ...at(20), attempt: 1, name: "progress", data: { step: 1 } }),
      log.event("error", {
        ...at(30),
        attempt: 1,
        code: "model_error",
        error: "No.",
        retryable: false,
      }),
      log.event("from_the_future", { ...at(40), attempt: 1 }),
    ]);
    expect(
      layoutTurn(turn)
        .rows.slice(2)
        .map((row) => [row.kind, row.name, row.note, row.durationMs]),
    ).toEqual([
      ["custom", "progress", "", null],
      ["error", "model_error", "No.", null],
      ["unknown", "from_the_future", "", null],
    ]);
  });

  it("nest in the row whose span is their parent, wherever the log has them", () => {
    const turn = turnAfter((log) => [
      log.started(at(0)),
      log.toolCall({ ...at(10), tool_call_id: "outer", span_id: "a", parent_span_id: "no item" }),
      log.toolCall({ ...at(20), tool_call_id: "beside", span_id: "b" }),
      log.modelCall({ ...at(30), call_id: "inner", span_id: "c", parent_span_id: "a" }),
      log.toolCall({ ...at(40), tool_call_id: "innermost", span_id: "d", parent_span_id: "c" }),
    ]);
    expect(layoutTurn(turn).rows.map((row) => [row.item?.id, row.parentKey])).toEqual([
      ["7-1", null],
      ["outer", null],
      ["inner", "tool_call/1/outer"],
      ["innermost", "model_call/1/inner"],
      ["beside", null],
    ]);
  });

  it("nest in no circle, whatever the ids say", () => {
    const turn = turnAfter((log) => [
      log.toolCall({ tool_call_id: "x", span_id: "a", parent_span_id: "b" }),
      log.toolCall({ tool_call_id: "y", span_id: "b", parent_span_id: "a" }),
      log.toolCall({ tool_call_id: "z", span_id: "c", parent_span_id: "c" }),
    ]);
    const parents = layoutTurn(turn).rows.map((row) => [row.item?.id, row.parentKey]);
    expect(parents).toEqual([
      ["x", null],
      ["y", "tool_call/1/x"],
      ["z", null],
    ]);
  });

  it("have keys of their own when two calls say the same id", () => {
    const turn = turnAfter((log) => [log.toolCall(), log.toolCall()]);
    expect(layoutTurn(turn).byKey.size).toBe(2);
  });

  it("lie on the axis and last no negative time, whatever the clocks say", () => {
    const turn = turnAfter((log) => [
      log.message(at(5000)),
      log.started(at(100)),
      log.modelCall(at(200)),
      log.modelResponse({ ...at(50), duration_ms: -300 }),
      log.finished(at(90)),
    ]);
    const layout = layoutTurn(turn);
    expect(told(layout)).toEqual([
      ["queue", "done", 0, 0],
      ["attempt", "done", 0, 0],
      ["model", "done", 100, 0],
    ]);
    expect(layout.totalMs).toBe(100);
    expect(elapsedMs(layout, 0)).toBe(100);
  });

  it("are there for events without a turn", () => {
    const state = stateAfter([
      new FrameWriter().event("error", {
        turn_id: undefined,
        code: "internal",
        error: "Odd.",
        retryable: false,
      }),
    ]);
    const layout = layoutTurn(turnOfStrays(state.strays));
    expect(told(layout)).toEqual([["error", "failed", 0, null]]);
  });
});

describe("a layout", () => {
  const log = new FrameWriter();
  const before = stateAfter([log.message(at(0)), log.started(at(10)), log.toolCall(at(20))]);
  const first = before.turns[0] as Turn;

  it("is the same while only the text of the answer grows", () => {
    const after = stateAfter([log.piece("Hel", at(30))], before).turns[0] as Turn;
    expect(after).not.toBe(first);
    const layoutsOf = createLayouts();
    const [old] = layoutsOf([first]);
    expect(layoutsOf([after])[0]?.layout).toBe(old?.layout);
  });

  it("keeps the rows that did not change", () => {
    const after = stateAfter([log.toolResult(at(40))], before).turns[0] as Turn;
    const layoutsOf = createLayouts();
    const old = layoutsOf([first])[0]?.layout.rows;
    const now = layoutsOf([after])[0]?.layout.rows;
    expect(now?.map((row, index) => row === old?.[index])).toEqual([true, true, false]);
  });

  it("of a turn that is gone is forgotten", () => {
    const layoutsOf = createLayouts();
    const old = layoutsOf([first])[0]?.layout;
    layoutsOf([]);
    expect(layoutsOf([first])[0]?.layout).not.toBe(old);
  });
});
