/** JSON as coloured text: tokens of it, and whether a text is any. Pure, and never HTML. */

export type TokenKind = "key" | "string" | "number" | "word" | "punctuation";
export type Token = { readonly kind: TokenKind; readonly text: string };

/** A string, a number, a word (`true`, `null` …), or what lies between them. */
const TOKEN =
  /("(?:[^"\\]|\\.)*"?)(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([^"\-\dtfn]+|[\s\S])/g;

/** The value as indented JSON. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? String(value);
}

/** A string, a mark of structure, or a scalar: what a JSON text is but for its white space. */
const PART = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * A text set well: indented when it is a JSON object or list, else as it is. What it says stays as
 * it was written, digit by digit: parsing would round the long numbers of an id.
 */
export function prettyText(text: string): { readonly text: string; readonly isJson: boolean } {
  const first = text.trimStart()[0];
  if (first !== "{" && first !== "[") return { text, isJson: false };
  try {
    JSON.parse(text);
  } catch {
    return { text, isJson: false };
  }
  return { text: indented(text.match(PART) ?? []), isJson: true };
}

function indented(parts: readonly string[]): string {
  let depth = 0;
  let before = "";
  const out: string[] = [];
  for (const part of parts) {
    const closes = part === "}" || part === "]";
    if (closes) depth -= 1;
    const isEmpty = closes && (before === "{" || before === "[");
    if (!isEmpty && (closes || before === "{" || before === "[" || before === ",")) {
      out.push("\n", "  ".repeat(depth));
    }
    if (before === ":") out.push(" ");
    out.push(part);
    if (part === "{" || part === "[") depth += 1;
    before = part;
  }
  return out.join("");
}

/** The tokens of a JSON text, cut off anywhere; joined they are the text again. */
export function tokensOf(json: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [, string, colon, number, word, other] of json.matchAll(TOKEN)) {
    if (string !== undefined) {
      tokens.push({ kind: colon === undefined ? "string" : "key", text: string });
      if (colon !== undefined) push(tokens, colon);
    } else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else push(tokens, other ?? "");
  }
  return tokens;
}

/** Adds punctuation, to the last token when that is punctuation too: fewer elements on the page. */
function push(tokens: Token[], text: string): void {
  const last = tokens.at(-1);
  if (last?.kind === "punctuation") tokens[tokens.length - 1] = { ...last, text: last.text + text };
  else tokens.push({ kind: "punctuation", text });
}
