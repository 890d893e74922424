import { render } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MarkdownBlock } from "./markdown-block";
import { splitBlocks } from "./markdown-blocks";
import { MarkdownReply as Markdown } from "./markdown-reply";

/** What a line of Markdown may be, the awkward kinds first of all. */
const line = fc.constantFrom(
  ...["", "", "", "text", "more **bold** text", "# one", "### three", "under", "---", "===", "***"],
  ...["- item", "* item", "1. item", "2) item", "  - nested", "   text", "    four", "\tTab"],
  ...["```", "```js", "~~~", "  ```", "   ```py", "- ```", "1. ```sh", "````", "> ```", "    ```"],
  ...["> quote", "> - item", "> # head", ">", "| a | b |", "|---|---|", "| 1 | 2 |"],
  ...["<div>", "</div>", "<b>x</b>", "- [ ] task", "\\", "a  ", "code()", "+", "-"],
);

/** The elements and texts, without line ends between them and without the levels of headings. */
function shape(container: HTMLElement): string {
  return container.innerHTML
    .replace(/\n|<button.*?<\/button>/g, "")
    .replace(/(<\/?)h[4-6]/g, "$1h");
}

describe("blocks", () => {
  it("side by side render as the whole text would", () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 14 }), (lines) => {
        const text = lines.join("\n");
        const blocks = render(<Markdown text={text} />);
        const whole = render(
          <div className="md">
            <MarkdownBlock text={text} outline="" idPrefix="x" />
          </div>,
        );
        const same = shape(blocks.container) === shape(whole.container);
        if (!same) expect(shape(blocks.container)).toBe(shape(whole.container));
        blocks.unmount();
        whole.unmount();
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it.each([
    ["paragraphs", "a\n\nb\n\nc", ["a\n", "b\n", "c"]],
    ["a fence with blank lines", "a\n\n```\nb\n\nc\n```\n\nd", ["a\n", "```\nb\n\nc\n```\n", "d"]],
    ["a loose list", "- a\n\n- b\n\nc", ["- a\n\n- b\n", "c"]],
    [
      "steps with code",
      "1. a\n   ```\n   b\n\n   c\n   ```\n\nd",
      ["1. a\n   ```\n   b\n\n   c\n   ```\n", "d"],
    ],
    [
      "script in a fence",
      "```html\n<script>\n\nx\n```\n\na",
      ["```html\n<script>\n\nx\n```\n", "a"],
    ],
  ])("of %s are cut where they end", (_, text, expected) => {
    expect(splitBlocks(text, false)?.map((block) => block.text)).toEqual(expected);
  });

  it.each([
    ["a link's definition", "[a]\n\nb\n\n[a]: https://a.example"],
    ["a footnote's definition", "a[^1]\n\nb\n\n[^1]: note with words"],
    ["a definition in a quote", "[a]\n\n> [a]: https://a.example"],
    ["a comment over blank lines", "a\n\n<!-- b\n\nc -->"],
  ])("of a text with %s are one", (_, text) => {
    expect(splitBlocks(text, true)).toHaveLength(1);
  });

  it("know the headings above them", () => {
    const blocks = splitBlocks("# a\n\nb\n\n### c\n\nTitle\n---\n\nd", false);
    expect(blocks?.map((block) => block.outline)).toEqual(["", "1", "1", "1,3", "1,2"]);
  });
});
