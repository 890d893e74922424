/**
 * Cuts a reply into blocks, so that a growing reply renders its last block anew and no other.
 *
 * It cuts only where no Markdown can reach across: before a line that begins at the margin after a
 * blank one, outside fences and raw HTML. So it need not know the grammar, only where that may fail.
 * Pure text work: what a block looks like is `markdown-block.tsx`.
 */

import remend from "remend";
import { fencedLines } from "./markdown-fences";
import { isTooDeep } from "./markdown-nesting";

/** A block and the depths of the headings it stands under, outermost first: "2,3". */
export type Block = { text: string; outline: string };

/** A link's or footnote's definition, which any block may refer to. */
const DEFINITION = /^[ \t>]*(?:[-+*][ \t]+|\d{1,9}[.)][ \t]+)*\[(?:\\.|[^\]\\])+\]:/m;

/** More nested quotes or lists than any reply has and than a recursive parser stands. */
const TOO_DEEP = /^(?:[ \t]*(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){100}/m;

const LIST_ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;

/** The outline below a heading of this depth: what is as deep or deeper has ended. */
export function nextOutline(outline: readonly number[], depth: number): number[] {
  return [...outline.filter((above) => above < depth), depth];
}

/** Closes what the stream has left open, and changes nothing else, so the end brings no jump. */
function completed(text: string): string {
  return remend(text, {
    comparisonOperators: false,
    htmlTags: false,
    katex: false,
    linkMode: "text-only",
    singleTilde: false,
  });
}

/** The depth of the heading that ends with this line, if one does. */
function headingDepth(line: string, before: string): number | null {
  const hashes = HEADING.exec(line)?.[1];
  if (hashes) return hashes.length;
  const underline = /^\w/.test(before) ? UNDERLINE.exec(line)?.[1] : undefined;
  if (!underline) return null;
  return underline.startsWith("=") ? 1 : 2;
}

function cut(lines: readonly string[], code: readonly boolean[]): Block[] {
  const blocks: Block[] = [];
  let outline: number[] = [];
  let block = { start: 0, outline: "" };
  const closeBefore = (end: number) => {
    const text = lines.slice(block.start, end).join("\n");
    if (text.trim() !== "") blocks.push({ text, outline: block.outline });
    block = { start: end, outline: outline.join(",") };
  };
  for (const [index, line] of lines.entries()) {
    if (code[index]) continue;
    const before = lines[index - 1] ?? "";
    // An item after a blank line may go on with the list above it.
    if (before.trim() === "" && /^\S/.test(line) && !LIST_ITEM.test(line)) closeBefore(index);
    const depth = headingDepth(line, before);
    if (depth !== null) outline = nextOutline(outline, depth);
  }
  closeBefore(lines.length);
  return blocks;
}

/**
 * The blocks of a text; side by side, they render as the whole would.
 *
 * A text with definitions, or whose fences or raw HTML leave doubt where to cut, stays one block.
 * Null when the text is nested beyond what can be parsed: show it as it is.
 */
export function splitBlocks(text: string, streaming: boolean): Block[] | null {
  if (TOO_DEEP.test(text)) return null;
  const written = linesOf(text);
  const fences = fencedLines(written);
  if (isTooDeep(written, fences)) return null;
  const source = streaming ? completed(text) : text;
  const lines = streaming ? linesOf(source) : written;
  const code = DEFINITION.test(source) ? null : streaming ? fencedLines(lines) : fences;
  return code ? cut(lines, code) : [{ text: source, outline: "" }];
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|\r|\n/);
}
