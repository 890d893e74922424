import { render, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { splitBlocks } from "./markdown-blocks";
import { MarkdownReply as Markdown } from "./markdown-reply";

const sample = `# Findings

The patient takes **two** medicines, _one_ of them ~~daily~~ weekly; see \`Observation\`.

1. First
   - nested with [a link](https://docs.example/x "title")
   - [x] done
   - [ ] open

   A second paragraph of the item.
2. Second

> A quote
> - with a list

| Code | Value | |
|:-----|------:|---|
| 718-7 | 13.2 | ok |

\`\`\`json
{ "resourceType": "Patient", "text": "a **b** c" }
\`\`\`

    indented code

## Next steps

Costs ~20 to ~30, 5 > 3 && 2 < 4, a_b_c, $5 and $6.

---

Last line with a bare address https://docs.example/y.
`;

const withReferences = `See [the guide][guide] and a note[^n].

- another [guide]

[guide]: https://docs.example/guide "Guide"

[^n]: The note, with **weight**.
`;

/** The same text in the same elements; React's ids differ from one rendering to the next. */
function shape(container: HTMLElement): string {
  return container.innerHTML.replace(/(id|href)="#?_r_[^"]*"/g, "$1");
}

describe("a streaming reply", () => {
  it.each([
    ["a sample of everything", sample],
    ["a text with references and footnotes", withReferences],
  ])(
    "%s renders at every prefix and ends as the whole does",
    (_, text) => {
      const whole = render(<Markdown text={text} />);
      const { container, rerender } = render(<Markdown text="" streaming />);
      for (let end = 1; end <= text.length; end += 1) {
        rerender(<Markdown text={text.slice(0, end)} streaming />);
      }
      rerender(<Markdown text={text} />);
      expect(shape(container)).toBe(shape(whole.container));
    },
    30_000,
  );

  it("shows open bold as bold and an open fence as code", () => {
    const { container, rerender } = render(<Markdown text="this is **impor" streaming />);
    expect(container.querySelector("strong")).toHaveTextContent("impor");
    rerender(<Markdown text={"```py\nprint(1"} streaming />);
    expect(screen.getByRole("group", { name: "Code, py" })).toHaveTextContent("print(1");
  });

  it("keeps the elements of the blocks before the last", () => {
    const { container, rerender } = render(<Markdown text={"first\n\nsec"} streaming />);
    const first = container.querySelector("p");
    rerender(<Markdown text={"first\n\nsecond\n\nthird"} streaming />);
    expect(container.querySelector("p")).toBe(first);
  });
});

describe("blocks", () => {
  it("render together as the whole text would", () => {
    const blocks = splitBlocks(sample, false) ?? [];
    expect(blocks.length).toBeGreaterThan(8);
    expect(blocks.map((block) => block.text).join("\n\n")).toContain("indented code");
  });

  it("of a text with definitions are one, so that references find them", () => {
    expect(splitBlocks(withReferences, false)).toHaveLength(1);
    render(<Markdown text={withReferences} />);
    for (const link of screen.getAllByRole("link", { name: /guide/ })) {
      expect(link).toHaveAttribute("href", "https://docs.example/guide");
    }
    expect(screen.getAllByRole("link", { name: /guide/ })).toHaveLength(2);
  });

  it("of a long line of dashes are a rule, not a deep list", () => {
    render(<Markdown text={`a\n\n${"-".repeat(200)}\n\nb`} />);
    expect(screen.getByRole("separator")).toBeInTheDocument();
  });

  it.each([
    ["quotes", ">".repeat(20_000)],
    ["lists", "- ".repeat(20_000)],
    ["numbered lists", "1. ".repeat(20_000)],
    ["brackets", "[".repeat(20_000)],
    ["emphasis", "*a ".repeat(5_000)],
    ["open fences", "```\n".repeat(300)],
  ])("of endless %s do not break the page", (_, text) => {
    const { container } = render(<Markdown text={text} streaming />);
    expect(container.firstElementChild).toHaveClass("md");
  });
});

describe("headings", () => {
  function levels(text: string): number[] {
    const { container } = render(<Markdown text={text} />);
    return [...container.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((h) => Number(h.tagName[1]));
  }

  it.each([
    ["the first, whatever its depth, is an h4", "### a", [4]],
    ["a gap closes", "# a\n\n#### b\n\n# c", [4, 5, 4]],
    ["siblings stay siblings", "## a\n\n### b\n\n### c\n\n## d", [4, 5, 5, 4]],
    ["none is deeper than h6", "# a\n\n## b\n\n### c\n\n#### d", [4, 5, 6, 6]],
    ["those in a quote count from where they stand", "# a\n\n> ### b\n\ntext", [4, 5]],
    ["references change nothing", "## a\n\n#### b [x]\n\n[x]: https://x.example", [4, 5]],
  ])("%s", (_, text, expected) => {
    expect(levels(text)).toEqual(expected);
  });
});

describe("footnotes", () => {
  it("of two replies share no id, name themselves and lead back", () => {
    const text = "a[^1]\n\n[^1]: the note";
    const { container } = render(
      <>
        <Markdown text={text} />
        <Markdown text={text} />
      </>,
    );
    const ids = [...container.querySelectorAll("[id]")].map((element) => element.id);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    for (const name of ["Note 1", "Back to the text"]) {
      for (const link of screen.getAllByRole("link", { name })) {
        expect(ids).toContain(link.getAttribute("href")?.slice(1));
        expect(link).not.toHaveAttribute("target");
      }
    }
    expect(screen.queryByRole("heading")).toBeNull();
  });
});

describe("code and tables", () => {
  it("a code block names its language, takes the focus and can be copied", () => {
    render(<Markdown text={"```ts\nconst a = 1;\n```"} />);
    const code = screen.getByRole("group", { name: "Code, ts" });
    expect(code).toHaveAttribute("tabindex", "0");
    expect(code.textContent).toBe("const a = 1;");
    expect(screen.getByRole("button", { name: "Copy code" })).toBeVisible();
  });

  it("a table scrolls in a group of its own that takes the focus", () => {
    render(<Markdown text={"| a | b |\n|---|---|\n| 1 | 2 |"} />);
    const group = screen.getByRole("group", { name: "Table" });
    expect(group).toHaveAttribute("tabindex", "0");
    expect(within(group).getAllByRole("columnheader")).toHaveLength(2);
  });

  it("a task says whether it is done", () => {
    render(<Markdown text={"- [x] one\n- [ ] two"} />);
    const [one, two] = screen.getAllByRole("listitem");
    expect(one && within(one).getByRole("img", { name: "Done" })).toBeInTheDocument();
    expect(two && within(two).getByRole("img", { name: "To do" })).toBeInTheDocument();
  });

  it("have no violation that axe can see", async () => {
    const { container } = render(
      <main>
        <h1>Page</h1>
        <h2>Conversation</h2>
        <h3>Assistant</h3>
        <Markdown text={sample} />
        <Markdown text={withReferences} />
      </main>,
    );
    const { violations } = await axe.run(container, {
      rules: { "color-contrast": { enabled: false } },
    });
    expect(violations.map((violation) => violation.id)).toEqual([]);
  });
});
