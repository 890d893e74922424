import { describe, expect, it } from "vitest";
import {
  branchesOf,
  earlierEnd,
  endAround,
  laterEnd,
  lineOf,
  linesIn,
  sectionsIn,
  spanEndingAt,
} from "@/lib/row-window";
import type { Row } from "@/lib/waterfall-rows";

function row(key: string, parentKey: string | null = null): Row {
  return {
    key,
    parentKey,
    turnId: "t",
    item: null,
    kind: "tool",
    name: key,
    note: "",
    status: "done",
    attempt: 1,
    isOfLostAttempt: false,
    at: 0,
    startMs: 0,
    durationMs: 0,
    isGrowing: false,
  };
}

const rowsNamed = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => row(`${name}${index}`));

describe("the part of the lines that is on the page", () => {
  it("is the end of the list, and all of a short one", () => {
    expect(spanEndingAt(null, 5000)).toEqual({ from: 4700, to: 5000 });
    expect(spanEndingAt(null, 12)).toEqual({ from: 0, to: 12 });
    expect(spanEndingAt(null, 0)).toEqual({ from: 0, to: 0 });
  });

  it("reaches every line by moving, never with more than 300", () => {
    const seen = new Set<number>();
    let span = spanEndingAt(null, 1234);
    for (let moves = 0; moves < 10; moves += 1) {
      expect(span.to - span.from).toBe(300);
      for (let line = span.from; line < span.to; line += 1) seen.add(line);
      span = spanEndingAt(earlierEnd(span), 1234);
    }
    expect(span.from).toBe(0);
    expect(seen.size).toBe(1234);
  });

  it("comes back to the end, which may grow", () => {
    const first = spanEndingAt(300, 700);
    const second = spanEndingAt(laterEnd(first, 700), 700);
    expect(second).toEqual({ from: 260, to: 560 });
    expect(laterEnd(second, 700)).toBeNull();
  });

  it("stays inside a list that has become shorter", () => {
    expect(spanEndingAt(900, 400)).toEqual({ from: 100, to: 400 });
  });
});

describe("the groups that are on the page", () => {
  const groups = [
    { rows: rowsNamed("a", 3) },
    { rows: [] },
    { rows: rowsNamed("b", 400) },
    { rows: rowsNamed("c", 2) },
  ];

  it("have a line for each header and each row", () => {
    expect(linesIn(groups)).toBe(409);
  });

  it("have each row on a line, around which a part can be shown", () => {
    expect(lineOf(groups, { turnId: "t", key: "a0" })).toBe(1);
    expect(lineOf(groups, { turnId: "t", key: "b250" })).toBe(256);
    expect(lineOf(groups, { turnId: "another", key: "b250" })).toBeNull();
    expect(spanEndingAt(endAround(256), 5000)).toEqual({ from: 106, to: 406 });
    expect(spanEndingAt(endAround(1), 5000)).toEqual({ from: 0, to: 300 });
    expect(spanEndingAt(endAround(4999), 5000)).toEqual({ from: 4700, to: 5000 });
  });

  it("are those that the part touches, with their rows in it", () => {
    const sections = sectionsIn(groups, { from: 109, to: 409 });
    expect(sections.map(({ rows }) => rows.length)).toEqual([297, 2]);
    expect(sections[0]?.rows.at(-1)?.key).toBe("b399");
    expect(sections[1]?.rows).toBe(groups[3]?.rows);
  });

  it("begin with the first line", () => {
    const sections = sectionsIn(groups, { from: 0, to: 300 });
    expect(sections.map(({ rows }) => rows.length)).toEqual([3, 0, 294]);
    expect(sections[2]?.rows[0]?.key).toBe("b0");
  });

  it("keep every row exactly once, wherever the list is cut", () => {
    const all = groups.flatMap(({ rows }) => rows.map((each) => each.key));
    for (let cut = 0; cut <= 409; cut += 1) {
      const parts = [
        { from: 0, to: cut },
        { from: cut, to: 409 },
      ].flatMap((span) => sectionsIn(groups, span).flatMap(({ rows }) => [...rows]));
      expect(parts.map((each) => each.key)).toEqual(all);
    }
  });
});

describe("the tree of rows", () => {
  const rows = [row("a"), row("b", "a"), row("c", "b"), row("d", "a"), row("e")];
  const byKey = new Map(rows.map((each) => [each.key, each]));
  const told = (shown: Row[]): unknown =>
    branchesOf(shown, byKey).map(function tell(branch): unknown {
      return [branch.row.key, branch.depth, ...branch.children.map(tell)];
    });

  it("nests children in their parents", () => {
    expect(told(rows)).toEqual([
      ["a", 0, ["b", 1, ["c", 2]], ["d", 1]],
      ["e", 0],
    ]);
  });

  it("hangs a row whose parent is hidden from the nearest ancestor that is not", () => {
    const shown = rows.filter(({ key }) => key !== "b");
    expect(told(shown)).toEqual([
      ["a", 0, ["c", 1], ["d", 1]],
      ["e", 0],
    ]);
  });

  it("begins anew where the list was cut", () => {
    expect(told(rows.slice(2))).toEqual([
      ["c", 0],
      ["d", 0],
      ["e", 0],
    ]);
  });
});
