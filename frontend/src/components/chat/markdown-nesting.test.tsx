import { render, screen } from "@testing-library/react";
import fc from "fast-check";
import type { Nodes } from "mdast";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseMarkdown } from "@/lib/gfm";
import { splitBlocks } from "./markdown-blocks";
import { MOST_OPEN_MARKS } from "./markdown-nesting";
import { MarkdownReply as Markdown } from "./markdown-reply";

const LONGEST = 36_000;

/** How deep the tree of a text is, counted without calling oneself. */
function depthOf(text: string): number {
  let level: readonly Nodes[] = [parseMarkdown(text)];
  let depth = 0;
  for (; level.length > 0; depth += 1) {
    level = level.flatMap((node): readonly Nodes[] => ("children" in node ? node.children : []));
  }
  return depth;
}

function nestedList(levels: number): string {
  return Array.from({ length: levels }, (_, level) => `${"  ".repeat(level)}- a`).join("\n");
}

const half = (piece: string) => Math.floor(LONGEST / 2 / piece.length);
const around = (open: string, close: string) =>
  `${open.repeat(half(open))}b${close.repeat(half(close))}`;

afterEach(() => vi.restoreAllMocks());

describe("a reply that nests beyond what a page stands is shown as it was written", () => {
  it.each([
    ["emphases", around("*a _b ", "b_ a* ")],
    ["emphases over lines", around("*a\n_b\n", "b_\na*\n")],
    ["emphases over lines that only seem blank", around("*a\n\u00a0\n_b\n", "b_\na*\n")],
    ["emphases in a quote", `> ${around("*a _b ", "b_ a* ")}`],
    ["emphases in an item", `- ${around("*a _b ", "b_ a* ")}`],
    ["emphases around links", around("*a [b](c) _d ", "d_ a* ")],
    ["emphases whose ends seem to be in links", `${around("*a [b*](c) ", "b* ")}`],
    ["emphases whose ends seem to be in addresses", `${around("*a [b](c*) ", "b* ")}`],
    ["emphases whose ends seem to be in code", `${around("*a `b*` ", "b* ")}`],
    ["emphases whose ends seem to be in tags", `${around('*a <b c="*"> ', "b* ")}`],
    ["emphases that seem to be code", `${around('<b c="`">*a <b c="`"> ', "b* ")}`],
    ["emphases after marks that are none", `${around("*a \\* ", "b* ")}`],
    ["emphases and strikes", around("*a ~~b _c ", "c_ b~~ a* ")],
    ["stars", around("*", "*")],
    ["images", around("![", "](u)")],
    ["brackets", around("[", "]")],
    ["lists", nestedList(130)],
    ["lists in a quote", nestedList(130).replace(/^/gm, "> ")],
  ])("%s", (_, text) => {
    for (const streaming of [true, false]) {
      const { container, unmount } = render(<Markdown text={text} streaming={streaming} />);
      expect(container.firstElementChild?.childElementCount).toBe(0);
      expect(container.textContent).toBe(text);
      unmount();
    }
  });

  it("however long it is, and set as ever until then", () => {
    const levels = fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 3000 }));
    fc.assert(
      fc.property(levels, (count) => {
        const text = `${"*a _b ".repeat(count)}c${" b_ a*".repeat(count)}`;
        const { container, unmount } = render(<Markdown text={text} />);
        const isSet = 2 * count <= MOST_OPEN_MARKS;
        expect(container.querySelectorAll("em")).toHaveLength(isSet ? 2 * count : 0);
        expect(container.textContent).toBe(isSet ? text.replace(/[*_]/g, "") : text);
        unmount();
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it("whatever its marks are and however many", () => {
    const opening = fc.constantFrom("*", "_", "**", "__", "***", "~~", "[", "![");
    const closing = fc.constantFrom("*", "_", "**", "__", "***", "~~", "]", "](u)", "*](u)");
    const filling = fc.constantFrom("a ", "a b ", "a\n", "`a` ", "<a> ", "\\* ", "| ", "[a](b) ");
    const mark = fc.oneof(
      fc.tuple(opening, filling).map(([sign, word]) => sign + word),
      fc.tuple(closing).map(([sign]) => `a${sign} `),
      filling,
    );
    const group = fc
      .tuple(fc.array(mark, { minLength: 1, maxLength: 4 }), fc.constantFrom(1, 300))
      .map(([marks, times]) => marks.join("").repeat(times));
    fc.assert(
      fc.property(fc.array(group, { minLength: 2, maxLength: 4 }), (groups) => {
        const text = groups.join("").slice(0, 6000);
        const blocks = splitBlocks(text, false) ?? [];
        for (const block of blocks) {
          expect(depthOf(block.text)).toBeLessThan(MOST_OPEN_MARKS + 10);
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

/** As models write: headings, lists, a table, code with marks of its own, and much emphasis. */
const CHAPTER = `## Findings for **Ada** (_first_ visit)

The patient takes **metformin** and *lisinopril*; see [the guide](https://docs.example/a_b_c "A *guide*"),
\`_lastUpdated\`, \`**kwargs\` and https://docs.example/x_y/*. Costs ~20 to ~30, 5 * 3 < 20, [0, 1).

- **Blood pressure**: 130/80, *stable*
  - measured _twice_, \`Observation.component[0]\`
    - ~~once~~ by *nurse_1*
- [ ] **Ask** about __allergies__
1. Take **one** a day
2. Come *back*

| **Code** | *Value* | Range | Note |
|---|---|---|---|
${"| **718-7** | *13.2* | `< 5` | [x](https://a.example/b_c) and `__init__`, **high** |\n".repeat(12)}
\`\`\`c
int *a, **b, *c[10]; char *name(const char *first, char *last[]);
${"static int *find_next(struct node *head, const char *key, int **out);\n".repeat(6)}
\`\`\`

`;

describe("a long reply as models write it", () => {
  it("keeps its setting", () => {
    const text = CHAPTER.repeat(10);
    expect(text.length).toBeGreaterThan(14_000);
    expect(splitBlocks(text, true)).not.toBeNull();
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelectorAll("table")).toHaveLength(10);
  });

  it("keeps it with a table of hundreds of rows, and with code of hundreds of pointers", () => {
    const row = "| **a** | *b* and __c__ | `_id` | [d](https://a.example/e_f) |\n";
    expect(splitBlocks(`|a|b|c|d|\n|-|-|-|-|\n${row.repeat(300)}`, false)).not.toBeNull();
    expect(splitBlocks(`\`\`\`c\n${"char *a, **b;\n".repeat(300)}\`\`\``, false)).not.toBeNull();
    expect(splitBlocks("- a *note, **another\n".repeat(300), false)).not.toBeNull();
  });

  it("keeps lists as deep as anybody writes", () => {
    expect(splitBlocks(nestedList(90), false)).not.toBeNull();
  });
});

it("a reply that cannot be set does not take the page with it", async () => {
  vi.resetModules();
  vi.doMock("./markdown-reply", () => ({
    MarkdownReply: () => {
      throw new RangeError("Maximum call stack size exceeded");
    },
  }));
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { Markdown: Lazy } = await import("./markdown");
  render(
    <>
      <Lazy text="a **b**" />
      <p>the next one</p>
    </>,
  );
  await vi.dynamicImportSettled();
  expect(await screen.findByText("a **b**")).toBeVisible();
  expect(screen.getByText("the next one")).toBeVisible();
  vi.doUnmock("./markdown-reply");
});
