import { expect, test } from "vitest";
import { turnOf } from "@/components/chat/chat-harness";
import { turnSummary } from "@/lib/turn-summary";

const NO_USAGE = { usage: null };

test("a finished turn is summed up by its calls, tokens and seconds", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.modelCall({ call_id: "m1" }),
    w.modelResponse({ call_id: "m1" }),
    ...["t1", "t2", "t3"].map((id) => w.toolCall({ tool_call_id: id })),
    w.modelCall({ call_id: "m2" }),
    w.modelResponse({ call_id: "m2" }),
    w.finished({ duration_ms: 4100, usage: { total_tokens: 1240 } }),
  ]);
  expect(turnSummary(turn)).toEqual(["3 tools", "2 model calls", "1,240 tokens", "4.1 s"]);
});

test("one of a kind is singular", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.modelCall(),
    w.toolCall(),
    w.finished({ duration_ms: 820, usage: { total_tokens: 1 } }),
  ]);
  expect(turnSummary(turn)).toEqual(["1 tool", "1 model call", "1 token", "820 ms"]);
});

test("without usage the tokens are the sum of what the calls say", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.modelCall({ call_id: "m1" }),
    w.modelResponse({ call_id: "m1", total_tokens: 18 }),
    w.modelCall({ call_id: "m2" }),
    w.modelResponse({ call_id: "m2", total_tokens: null, prompt_tokens: 20, completion_tokens: 2 }),
    w.modelCall({ call_id: "m3" }),
  ]);
  expect(turnSummary(turn)).toEqual(["3 model calls", "40 tokens"]);
});

test("what nobody has counted is left out", () => {
  const unknown = { total_tokens: null, prompt_tokens: null, completion_tokens: null };
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.modelCall(),
    w.modelResponse(unknown),
    w.finished({ duration_ms: null, ...NO_USAGE }),
  ]);
  expect(turnSummary(turn)).toEqual(["1 model call"]);
});

test("a turn of which nothing is known has no summary", () => {
  const turn = turnOf((w) => [w.message(), w.finished({ duration_ms: null, ...NO_USAGE })]);
  expect(turnSummary(turn)).toEqual([]);
});

test("the calls of a lost attempt do not count for the answer of the next", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.toolCall({ tool_call_id: "t1" }),
    w.started({ attempt: 2 }),
    w.toolCall({ tool_call_id: "t2", attempt: 2 }),
  ]);
  expect(turnSummary(turn)).toEqual(["1 tool"]);
});
