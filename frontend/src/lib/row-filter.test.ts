import { describe, expect, it } from "vitest";
import { createRowFilter, type KindGroup, SHOW_ALL } from "@/lib/row-filter";
import { layoutTurn } from "@/lib/waterfall";
import type { Turn } from "@/session/state";
import { FrameWriter, stateAfter } from "@/test/builders";

const log = new FrameWriter();
const turn = stateAfter([
  log.message(),
  log.started({ worker: "worker-9" }),
  log.modelCall({ model: "gpt-5-mini" }),
  log.modelResponse({ finish_reason: "length" }),
  log.toolCall({ tool_name: "search_patients", arguments: { name: "Ada Lovelace" } }),
  log.toolResult({ result: "Nobody was found." }),
  log.event("custom", { attempt: 1, name: "progress", data: { phase: "ranking" } }),
  log.event("from_the_future", { attempt: 1, colour: "teal" }),
]).turns[0] as Turn;
const { rows } = layoutTurn(turn);

function kindsWith(search: string, hidden: KindGroup[] = []) {
  return createRowFilter({ search, hidden: new Set(hidden) })(rows).map((row) => row.kind);
}

describe("a filter of rows", () => {
  it("that asks nothing lets everything through", () => {
    expect(createRowFilter(SHOW_ALL)(rows)).toBe(rows);
    expect(kindsWith("   ")).toHaveLength(rows.length);
  });

  it.each([
    ["SEARCH_pat", ["tool"]],
    ["lovelace", ["tool"]],
    ["nobody", ["tool"]],
    ["gpt-5", ["model"]],
    ["length", ["model"]],
    ["worker-9", ["attempt"]],
    ["ranking", ["custom"]],
    ["teal", ["unknown"]],
    ["ada nobody", ["tool"]],
    ["ada gpt", []],
  ])("finds %s in names, arguments, results and models", (search, kinds) => {
    expect(kindsWith(search)).toEqual(kinds);
  });

  it.each<[KindGroup[], string[]]>([
    [["model"], ["queue", "attempt", "tool", "custom", "unknown"]],
    [["event"], ["model", "tool"]],
    [["event", "tool"], ["model"]],
  ])("hides %s", (hidden, kinds) => {
    expect(kindsWith("", hidden)).toEqual(kinds);
  });

  it("answers the same rows with the same list", () => {
    const filter = createRowFilter({ search: "ada", hidden: new Set() });
    expect(filter(rows)).toBe(filter(rows));
  });
});
