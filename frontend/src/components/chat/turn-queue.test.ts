import { expect, test } from "vitest";
import { stateOf } from "./chat-harness";
import { stoppableOf, turnsBeforeOf } from "./turn-queue";

const { turns } = stateOf((w) => [
  w.message({ turn_id: "over" }),
  w.started({ turn_id: "over" }),
  w.finished({ turn_id: "over" }),
  w.message({ turn_id: "runs" }),
  w.started({ turn_id: "runs" }),
  w.message({ turn_id: "waits" }),
  w.message({ turn_id: "waits too" }),
]);

test("a waiting turn has those before it that are not over", () => {
  expect([...turnsBeforeOf(turns)]).toEqual([
    ["waits", 1],
    ["waits too", 2],
  ]);
});

test("a stop is for the running turn first", () => {
  expect(stoppableOf(turns)).toBe("runs");
});

test("with none running, a stop is for the turn that was asked last", () => {
  expect(stoppableOf(turns.filter(({ id }) => id !== "runs"))).toBe("waits too");
});

test("with nothing to do there is nothing to stop", () => {
  expect(stoppableOf(turns.slice(0, 1))).toBeNull();
});
