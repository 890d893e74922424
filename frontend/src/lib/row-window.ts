/** Which of very many rows are on the page, and what nests in what among those. Pure. */
import type { Row } from "@/lib/waterfall-rows";

/** The most rows on the page at once (a turn's header counts as one). */
export const MOST_ROWS = 300;
/** What stays when the window moves, so that the reader finds the place again. */
const OVERLAP = 40;

/** A part of a list: from `from`, up to but not with `to`. */
export type Span = { readonly from: number; readonly to: number };

/** The part that ends at `end` (null: where the list ends), as much of it as may be shown. */
export function spanEndingAt(end: number | null, total: number): Span {
  const to = Math.min(total, Math.max(end ?? total, Math.min(MOST_ROWS, total)));
  return { from: Math.max(0, to - MOST_ROWS), to };
}

/** Where the part before `span` ends. */
export function earlierEnd(span: Span): number {
  return Math.max(MOST_ROWS, span.from + OVERLAP);
}

/** Where the part after `span` ends; null when that is the end of the list, which may grow. */
export function laterEnd(span: Span, total: number): number | null {
  const end = span.to + MOST_ROWS - OVERLAP;
  return end >= total ? null : end;
}

/** A header with the rows below it, which are none while it is closed. */
type Group = { readonly rows: readonly Row[] };

/** What a row is found by. */
export type RowPlace = Pick<Row, "turnId" | "key">;

/** Which of the groups' lines this row is; null while it is on none. */
export function lineOf(groups: readonly Group[], { turnId, key }: RowPlace): number | null {
  let line = 0;
  for (const { rows } of groups) {
    const index = rows.findIndex((row) => row.key === key && row.turnId === turnId);
    if (index >= 0) return line + 1 + index;
    line += 1 + rows.length;
  }
  return null;
}

/** The end of a part that has this line well inside of it. */
export function endAround(line: number): number {
  return line + MOST_ROWS / 2;
}

export type Section<G extends Group> = { readonly group: G; readonly rows: readonly Row[] };

/** How many lines the groups have: one for each header, one for each row. */
export function linesIn(groups: readonly Group[]): number {
  return groups.reduce((sum, group) => sum + 1 + group.rows.length, 0);
}

/** The groups that `span` of their lines touches, each with the rows that lie in it. */
export function sectionsIn<G extends Group>(
  groups: readonly G[],
  span: Span,
): readonly Section<G>[] {
  const sections: Section<G>[] = [];
  let line = 0;
  for (const group of groups) {
    const first = line + 1;
    line = first + group.rows.length;
    if (line <= span.from || first > span.to) continue;
    const isWhole = first >= span.from && line <= span.to;
    const rows = isWhole
      ? group.rows
      : group.rows.slice(Math.max(0, span.from - first), Math.max(0, span.to - first));
    sections.push({ group, rows });
  }
  return sections;
}

export type Branch = { readonly row: Row; readonly children: Branch[]; readonly depth: number };

/** The rows as a tree. One whose parent is not among them hangs from the nearest ancestor that is. */
export function branchesOf(
  rows: readonly Row[],
  byKey: ReadonlyMap<string, Row>,
): readonly Branch[] {
  const branches = new Map<string, Branch>();
  const roots: Branch[] = [];
  for (const row of rows) {
    let above = row.parentKey;
    while (above !== null && !branches.has(above)) above = byKey.get(above)?.parentKey ?? null;
    const parent = above === null ? undefined : branches.get(above);
    const branch = { row, children: [], depth: parent === undefined ? 0 : parent.depth + 1 };
    branches.set(row.key, branch);
    (parent?.children ?? roots).push(branch);
  }
  return roots;
}
