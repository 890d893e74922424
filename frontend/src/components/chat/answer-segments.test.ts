import { expect, test } from "vitest";
import { fencedJson, segmentsOf } from "./answer-segments";
import { turnOf } from "./chat-harness";

test("texts, thoughts and calls stand in the order of the log, neighbours together", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.event("reasoning", { attempt: 1, message_id: "r1", streaming: false, content: "hm" }),
    w.event("reasoning", { attempt: 1, message_id: "r2", streaming: false, content: "so" }),
    w.text("first", { message_id: "x1" }),
    w.toolCall({ tool_call_id: "t1" }),
    w.modelCall(),
    w.toolCall({ tool_call_id: "t2" }),
    w.text("second", { message_id: "x2" }),
    w.text("third", { message_id: "x3" }),
  ]);
  const told = segmentsOf(turn).map((segment) => {
    if (segment.kind === "text") return segment.text.content;
    return segment.kind === "steps"
      ? segment.calls.map((call) => call.id)
      : segment.texts.map((text) => text.content);
  });
  expect(told).toEqual([["hm", "so"], "first", ["t1", "t2"], "second", "third"]);
});

test("a part is not gone through again for each neighbour that joins it", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    ...Array.from({ length: 50 }, (_, index) => w.toolCall({ tool_call_id: `t${index}` })),
  ]);
  const iterate = Array.prototype[Symbol.iterator];
  let walks = 0;
  Array.prototype[Symbol.iterator] = function walk<T>(this: T[]) {
    walks += 1;
    return iterate.call(this);
  };
  try {
    expect(segmentsOf(turn)).toHaveLength(1);
  } finally {
    Array.prototype[Symbol.iterator] = iterate;
  }
  expect(walks).toBeLessThan(10);
});

test("the steps of a lost attempt are no part of the answer", () => {
  const turn = turnOf((w) => [
    w.message(),
    w.started(),
    w.toolCall(),
    w.started({ attempt: 2 }),
    w.text("again", { attempt: 2 }),
  ]);
  expect(segmentsOf(turn).map(({ kind }) => kind)).toEqual(["text"]);
});

test.each(["plain", "[not json", "42", '"text"', "{a: 1}", '{"a":1} and more'])(
  "%s is no JSON answer",
  (text) => {
    expect(fencedJson(text)).toBeNull();
  },
);

test("a JSON answer in one line is set over several", () => {
  expect(fencedJson(' {"a":[1]} ')).toBe('```json\n{\n  "a": [\n    1\n  ]\n}\n```');
});

test("a JSON answer whose numbers would lose digits stays as it was written", () => {
  const text = '{"id":12345678901234567890}';
  expect(fencedJson(text)).toBe(`\`\`\`json\n${text}\n\`\`\``);
});
