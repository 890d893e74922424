/**
 * How deep a text nests, told without parsing it: the parser's time grows with the square of the
 * depth, and what renders the tree calls itself once for each level.
 *
 * It follows the delimiters of emphasis as the parser does. Where it knows less than the parser does
 * (what is an address, a tag), it closes nothing, so that it errs on the side of "too deep".
 */

/**
 * Marks (`*`, `_`, `~~`, `[`) open at once in one paragraph: many times what a reply needs that is
 * meant to be read. The parser alone takes 0.3 s for 1,000 of them and 1.3 s for 2,000, in which the
 * page stands still; at some 3,000 levels the stack ends.
 */
export const MOST_OPEN_MARKS = 200;

/** Columns that a list's item is indented by: a hundred levels have as many at least. */
const MOST_INDENT = 200;

type Mark = { readonly sign: string; length: number; readonly canClose: boolean };

/** What no paragraph reaches across: a blank line, a bullet, a heading. */
const PARAGRAPH_END = /^[ \t]*$|^ {0,3}(?:[-+*]|#{1,6})[ \t]/;
const INDENTED_ITEM = /^([ \t>]*)(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;
/**
 * Where an address or a tag may hold anything at all. Whoever writes so much of it as to be taken
 * for too deep is read as it was written.
 */
const OPAQUE = /<[!?]|<[a-z][^<>]*["']|\]\(\S{2000}/i;
/** Backticks that an address or a tag may hide, and that begin no code then. */
const HIDDEN_TICK = /<[a-z/][^<>]*`|\]\(\S*[`"'<]|\]\(\s*\S*\s+["'(]/i;

const PIECES = new RegExp(
  [
    /\\[^\w\s]/, // a mark that is none
    /`+/,
    /\]\(\s*(?:<[^<>\n]*>|[^\s<]{0,2000})(?:\s+(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))?\s*\)/, // an address
    /<[a-z/][^<>]*>/, // a tag, or an address between brackets
    /(?:https?:\/\/|www\.)[^\s<]*[^\s<?!.,:*_~'")\]]/, // an address as it is
    /\*+|_+|~+|\[|\]/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gi",
);

/** Whether a paragraph or a list of these lines nests beyond what can be parsed and shown. */
export function isTooDeep(lines: readonly string[], code: readonly boolean[] | null): boolean {
  let paragraph: string[] = [];
  for (const [index, line] of lines.entries()) {
    const isCode = code?.[index] === true;
    if (!isCode && indentOf(line) >= MOST_INDENT) return true;
    if (isCode || PARAGRAPH_END.test(line)) {
      if (isParagraphTooDeep(paragraph)) return true;
      paragraph = [];
    }
    if (!isCode) paragraph.push(line);
  }
  return isParagraphTooDeep(paragraph);
}

/** How far a list's item is indented; 0 for any other line. */
function indentOf(line: string): number {
  const [, lead = ""] = INDENTED_ITEM.exec(line) ?? [];
  return [...lead].reduce((at, char) => at + (char === "\t" ? 4 - (at % 4) : 1), 0);
}

function isParagraphTooDeep(lines: readonly string[]): boolean {
  const text = lines.join("\n");
  const count = text.match(/[*_~[]/g)?.length ?? 0;
  return count > MOST_OPEN_MARKS && new Scan(text).isTooDeep();
}

const NO_CODE: ReadonlyMap<number, number> = new Map();

/** One walk over a paragraph's marks. */
class Scan {
  private readonly open: Mark[] = [];
  private depth = 0;
  private readonly neverCloses: boolean;
  private readonly hidesCode: boolean;

  constructor(private readonly text: string) {
    this.hidesCode = text.includes("`") && HIDDEN_TICK.test(text);
    this.neverCloses = this.hidesCode || OPAQUE.test(text);
  }

  isTooDeep(): boolean {
    const codeEnds = this.hidesCode ? NO_CODE : codeEndsOf(this.text);
    const pieces = new RegExp(PIECES);
    for (let found = pieces.exec(this.text); found !== null; found = pieces.exec(this.text)) {
      const [piece] = found;
      const codeEnd = codeEnds.get(found.index);
      if (codeEnd !== undefined) {
        // In a table's row the backticks may belong to two cells, and hide a third.
        const inside = this.text.slice(found.index + piece.length, codeEnd - piece.length);
        if (isParagraphTooDeep([inside])) return true;
        pieces.lastIndex = codeEnd;
      } else this.take(piece, found.index);
      if (this.depth > MOST_OPEN_MARKS) return true;
    }
    return false;
  }

  private take(piece: string, at: number): void {
    if (piece.startsWith("]")) this.closeBracket();
    if (/^[[*_]|^~~$/.test(piece)) this.takeRun(piece, at, !this.neverCloses);
    else if (!/^[\\`~]/.test(piece)) {
      // An address: its marks may be marks after all, if it is none; but they close nothing.
      for (const { 0: run, index } of piece.matchAll(/\*+|_+|~~|\[/g)) {
        this.takeRun(run, at + index, false);
      }
    }
  }

  private takeRun(run: string, at: number, mayClose: boolean): void {
    const sign = run.charAt(0);
    if (sign === "[") {
      this.push({ sign, length: 1, canClose: false });
      return;
    }
    const { canOpen, canClose } = flanks(sign, this.text, at, at + run.length);
    const mark = { sign, length: run.length, canClose };
    if (canClose && mayClose) this.close(mark, canOpen);
    if (canOpen && mark.length > 0) this.push(mark);
  }

  private push(mark: Mark): void {
    this.open.push(mark);
    this.depth += mark.length;
  }

  private close(closer: Mark, canOpen: boolean): void {
    while (closer.length > 0) {
      const index = this.openerOf(closer, canOpen);
      const opener = this.open[index];
      if (opener === undefined) return;
      this.forgetAbove(index, closer.sign);
      const used = opener.length > 1 && closer.length > 1 ? 2 : 1;
      opener.length -= used;
      closer.length -= used;
      this.depth -= used;
      if (opener.length === 0) this.open.splice(index, 1);
    }
  }

  /** What is open within a closed emphasis is nothing; strikes and emphases do not ask each other. */
  private forgetAbove(index: number, sign: string): void {
    for (const mark of this.open.splice(index + 1)) {
      if ((mark.sign === "~") === (sign === "~")) this.depth -= mark.length;
      else this.open.push(mark);
    }
  }

  /** The nearest mark that this one closes, by the rule of three as well; -1 for none. */
  private openerOf(closer: Mark, canOpen: boolean): number {
    for (let index = this.open.length - 1; index >= 0; index -= 1) {
      const mark = this.open[index];
      // A link's text is closed to what is around it.
      if (mark === undefined || mark.sign === "[") return -1;
      const isOdd =
        (canOpen || mark.canClose) &&
        closer.length % 3 !== 0 &&
        (mark.length + closer.length) % 3 === 0;
      if (mark.sign === closer.sign && !isOdd) return index;
    }
    return -1;
  }

  private closeBracket(): void {
    const index = this.open.findLastIndex(({ sign }) => sign === "[");
    if (index < 0) return;
    this.open.splice(index, 1);
    this.depth -= 1;
  }
}

/** For each run of backticks that begins code, where the code ends. */
function codeEndsOf(text: string): ReadonlyMap<number, number> {
  const later = new Map<number, number[]>();
  // Within code a backslash is a backslash, so a run after one may end what it cannot begin.
  for (const { index, 0: run } of [...text.matchAll(/`+/g)].reverse()) {
    const ends = later.get(run.length);
    if (ends === undefined) later.set(run.length, [index]);
    else ends.push(index);
  }
  const codeEnds = new Map<number, number>();
  let from = 0;
  for (const { index, 0: run } of text.matchAll(/\\[^\w\s]|`+/g)) {
    if (index < from || run.startsWith("\\")) continue;
    const ends = later.get(run.length) ?? [];
    while ((ends.at(-1) ?? Infinity) <= index) ends.pop();
    const end = ends.at(-1);
    if (end === undefined) continue;
    from = end + run.length;
    codeEnds.set(index, from);
  }
  return codeEnds;
}

/** Whether a run of marks may open and may close, by what stands before and after it. */
function flanks(sign: string, text: string, start: number, end: number) {
  const before = kindOf(start === 0 ? undefined : text[start - 1]);
  const after = kindOf(text[end]);
  const open = after === "word" || after === "mark" || (after === "sign" && before !== "word");
  const close = before === "word" || before === "mark" || (before === "sign" && after !== "word");
  if (sign !== "_") return { canOpen: open, canClose: close };
  return {
    canOpen: open && (before !== "word" || !close),
    canClose: close && (after !== "word" || !open),
  };
}

function kindOf(char: string | undefined): "space" | "mark" | "sign" | "word" {
  if (char === undefined || /\s/.test(char)) return "space";
  if (char === "~") return "mark";
  return /[\p{P}\p{S}]/u.test(char) ? "sign" : "word";
}
