/**
 * Which lines of a text are code of a fence: there, a blank line ends nothing.
 *
 * Fences stand on the page, in a quote or in a list's item, and end with it. Where the indentation
 * leaves doubt in which of them, the answer is "unknown", never a guess.
 */

type Fence = { mark: string; indent: number; inside: "page" | "quote" | "list" };

/** The list that may be open: the column where its items' text begins, and whether it is surely on. */
type List = { column: number; sure: boolean };

const QUOTE = /^ {0,3}>/;
const ITEM = /^( {0,3})([-+*]|\d{1,9}[.)])( +|$)/;
const FENCE = /^((?:[ \t>]|[-+*][ \t]|\d{1,9}[.)][ \t])*)(`{3,}(?=[^`]*$)|~{3,})/;

/** Raw HTML that goes on over blank lines until an end of its own. */
const LONG_HTML = /^[ \t>]*<(?:script|pre|style|textarea|!|\?)/i;

const CLOSING = {
  page: /^ {0,3}(`{3,}|~{3,})[ \t]*$/,
  list: /^ *(`{3,}|~{3,})[ \t]*$/,
  quote: /^ {0,3}>[ >]*(`{3,}|~{3,})[ \t]*$/,
};

/** The column of the line's first word; a tab leads to the next multiple of four. */
function indentOf(line: string): number {
  const [lead = ""] = /^[ \t]*/.exec(line) ?? [];
  return [...lead].reduce((at, char) => at + (char === "\t" ? 4 - (at % 4) : 1), 0);
}

/** The list after a line that is no code. */
function listAfter(line: string, before: string, list: List | null): List | null {
  if (line.trim() === "" || (list && indentOf(line) >= list.column)) return list;
  const [, indent = "", marker, space = ""] = ITEM.exec(line) ?? [];
  if (marker) {
    const width = space.length >= 1 && space.length <= 4 ? space.length : 1;
    // Within a paragraph most of what looks like an item is text.
    const sure = list?.sure || before.trim() === "" || (space !== "" && /^(?:\D|1\D)/.test(marker));
    return { column: indent.length + marker.length + width, sure };
  }
  // After a blank line a shallower one ends the list; else it may be the item's text, unindented.
  return list && before.trim() !== "" ? { ...list, sure: false } : null;
}

function fenceOf(line: string, list: List | null): Fence | "unknown" | null {
  const [, prefix = "", mark] = FENCE.exec(line) ?? [];
  if (!mark) return null;
  const fence = { mark, indent: prefix.length };
  const holder = prefix.replace(/ /g, "");
  if (holder === "" && !list) return prefix.length < 4 ? { ...fence, inside: "page" } : null;
  if (prefix === "") return { ...fence, inside: "page" };
  if (/^>+$/.test(holder) && !list) return { ...fence, inside: "quote" };
  if (holder.includes(">") || prefix.includes("\t") || !list?.sure) return "unknown";
  if (prefix.length >= list.column) return { ...fence, inside: "list" };
  return prefix.length < 4 ? { ...fence, inside: "page" } : "unknown";
}

/** Whether the line ends the fence, lies beyond its end, or leaves that open; null: it is code. */
function endOf(line: string, fence: Fence, list: List | null): "at" | "before" | "unknown" | null {
  if (fence.inside === "quote" && !QUOTE.test(line)) return "before";
  if (fence.inside === "list" && line.trim() !== "") {
    if (indentOf(line) < (list?.column ?? 0)) return "before";
    if (indentOf(line) < fence.indent) return "unknown";
  }
  return CLOSING[fence.inside].exec(line)?.[1]?.startsWith(fence.mark) ? "at" : null;
}

/** For each line whether it is code of a fence; null when that cannot be told for all. */
export function fencedLines(lines: readonly string[]): boolean[] | null {
  const marks: boolean[] = [];
  let fence: Fence | null = null;
  let list: List | null = null;
  for (const [index, line] of lines.entries()) {
    const end: ReturnType<typeof endOf> = fence && endOf(line, fence, list);
    if (end === "unknown") return null;
    marks.push(fence !== null && end !== "before");
    if (end !== null) fence = null;
    if (fence || end === "at") continue;
    list = listAfter(line, lines[index - 1] ?? "", list);
    const found = fenceOf(line, list);
    if (found === "unknown" || LONG_HTML.test(line)) return null;
    fence = found;
  }
  return marks;
}
