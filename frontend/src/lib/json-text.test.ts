import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatJson, prettyText, tokensOf } from "@/lib/json-text";

describe("a text set well", () => {
  it("is indented when it is a JSON object or list", () => {
    expect(prettyText('{"a":[1,{"b":"x, {y}"}],"c":{},"d":[]}')).toEqual({
      isJson: true,
      text: '{\n  "a": [\n    1,\n    {\n      "b": "x, {y}"\n    }\n  ],\n  "c": {},\n  "d": []\n}',
    });
  });

  it("keeps numbers as they were written", () => {
    expect(prettyText('{"id": 12345678901234567890, "rate": 1.0}').text).toBe(
      '{\n  "id": 12345678901234567890,\n  "rate": 1.0\n}',
    );
  });

  it.each(["plain", "{ not json", '"quoted"', "42", "", "[1,"])("stays as it is: %s", (text) => {
    expect(prettyText(text)).toEqual({ isJson: false, text });
  });

  it("of any JSON object is what the indentation of JSON.stringify makes of it", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(prettyText(JSON.stringify(value)).text).toBe(JSON.stringify(value, null, 2));
      }),
    );
  });
});

describe("the tokens of a JSON text", () => {
  it("tell keys, strings, numbers and words apart", () => {
    expect(tokensOf('{"a": "b", "c": -1.5e3, "d": null}')).toEqual([
      { kind: "punctuation", text: "{" },
      { kind: "key", text: '"a"' },
      { kind: "punctuation", text: ": " },
      { kind: "string", text: '"b"' },
      { kind: "punctuation", text: ", " },
      { kind: "key", text: '"c"' },
      { kind: "punctuation", text: ": " },
      { kind: "number", text: "-1.5e3" },
      { kind: "punctuation", text: ", " },
      { kind: "key", text: '"d"' },
      { kind: "punctuation", text: ": " },
      { kind: "word", text: "null" },
      { kind: "punctuation", text: "}" },
    ]);
  });

  it("are the text again when joined, wherever it was cut off", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, cut) => {
        const text = formatJson(value).slice(0, cut);
        const joined = tokensOf(text)
          .map((token) => token.text)
          .join("");
        expect(joined).toBe(text);
      }),
    );
  });
});

describe("a value as JSON", () => {
  it("is never nothing", () => {
    expect(formatJson(undefined)).toBe("undefined");
  });
});
