import { describe, expect, it } from "vitest";
import { plainTextOf, spokenReply } from "@/components/shell/plain-text";

describe("plain text", () => {
  it.each([
    ["**Bold** and *soft* and `code`", "Bold and soft and code"],
    ["## Heading\n\nText.", "Heading\nText."],
    ["[a link](https://example.org)", "a link"],
    ["![a picture](https://example.org/x.png)", "a picture"],
    ["- one\n- two **2**\n  - inner", "one\ntwo 2\ninner"],
    ["1. one\n2. two", "one\ntwo"],
    ["- [ ] open\n- [x] done", "open\ndone"],
    ["> quoted", "quoted"],
    ["| name | age |\n|---|---|\n| Ada | 36 |", "name, age\nAda, 36"],
    ["```python\nprint(1)\n```", "print(1)"],
    ["a\\*b &amp; c", "a*b & c"],
    ["before\n\n---\n\nafter", "before\nafter"],
    ["~~gone~~", "gone"],
    ["", ""],
  ])("of %j is %j", (markdown, text) => {
    expect(plainTextOf(markdown)).toBe(text);
  });
});

describe("a spoken reply", () => {
  it("is the whole of a short one", () => {
    expect(spokenReply("There is **one** patient. She is 36.")).toBe(
      "There is one patient. She is 36.",
    );
  });

  it("is the first sentence of a long one, and where the rest is", () => {
    const markdown = `Version 1.5 found **two**. ${"More words. ".repeat(60)}`;
    expect(spokenReply(markdown)).toBe("Version 1.5 found two. Full reply in the transcript.");
  });

  it("ends at a word where a sentence does not", () => {
    const spoken = spokenReply("word ".repeat(300));
    expect(spoken).toMatch(/^(word )+… Full reply in the transcript\.$/);
    expect(spoken.length).toBeLessThan(650);
  });
});
