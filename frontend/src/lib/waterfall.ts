/**
 * The waterfall of a turn: its telemetry as rows on one time axis. Pure, and it keeps identities: a
 * row, or a whole layout, that shows nothing else than before is the same object.
 *
 * The axis begins with the earliest thing known of the turn. Clocks of several machines meet here,
 * so no time is believed: nothing lies before the beginning, nothing lasts less than nothing.
 */
import { type Row, rowsOf } from "@/lib/waterfall-rows";
import type { Id, TelemetryItem, Turn } from "@/session/state";
import { telemetryOfTurn } from "@/session/telemetry";
import { isOver } from "@/session/turn-status";

export type TurnLayout = {
  readonly turnId: Id;
  /** What the axis begins with. */
  readonly zero: number;
  /** The length of the axis; null while the turn grows. */
  readonly totalMs: number | null;
  /** The last moment known, after `zero`. */
  readonly knownMs: number;
  /** Each row directly after what it is nested in, else in the order of the log. */
  readonly rows: readonly Row[];
  readonly byKey: ReadonlyMap<string, Row>;
  readonly items: readonly TelemetryItem[];
  /** The rest of what the rows were made of. */
  readonly basis: string;
};

/** The layout of a turn; `before`, an earlier one of the same turn, gives what has not changed. */
export function layoutTurn(turn: Turn, before?: TurnLayout): TurnLayout {
  const items = telemetryOfTurn(turn);
  const basis = [turn.status, turn.attempt, turn.askedAt, turn.finishedAt].join();
  if (before?.basis === basis && isSame(before.items, items)) return before;
  const zero = zeroOf(turn, items);
  const made = nested(rowsOf({ turn, items, zero }), items);
  const rows = made.map((row) => kept(row, before?.byKey.get(row.key)));
  const finishedMs = (turn.finishedAt ?? zero) - zero;
  const ends = rows.map((row) => row.startMs + (row.durationMs ?? 0));
  const knownMs = ends.reduce((latest, end) => Math.max(latest, end), finishedMs);
  return {
    turnId: turn.id,
    zero,
    totalMs: isOver(turn.status) ? knownMs : null,
    knownMs,
    rows,
    byKey: new Map(rows.map((row) => [row.key, row])),
    items,
    basis,
  };
}

export type LaidOutTurn = { readonly turn: Turn; readonly layout: TurnLayout };

/**
 * Lays turns out and remembers those of the last time: a turn costs again only when it has changed,
 * and what is not asked for any more is forgotten.
 */
export function createLayouts(): (turns: readonly Turn[]) => readonly LaidOutTurn[] {
  let latest: ReadonlyMap<Id, LaidOutTurn> = new Map();
  return (turns) => {
    const laidOut = turns.map((turn) => {
      const known = latest.get(turn.id);
      return known?.turn === turn ? known : { turn, layout: layoutTurn(turn, known?.layout) };
    });
    latest = new Map(laidOut.map((each) => [each.turn.id, each]));
    return laidOut;
  };
}

/** How long the turn has lasted when its makers' clock says `now`. */
export function elapsedMs(layout: TurnLayout, now: number): number {
  return layout.totalMs ?? Math.max(layout.knownMs, now - layout.zero);
}

/** The events that have no turn, as a turn that is over: for them there is the same view. */
export function turnOfStrays(strays: readonly TelemetryItem[]): Turn {
  return {
    id: "",
    content: null,
    askedAt: null,
    traceId: null,
    status: "completed",
    attempt: 0,
    items: strays,
    finishedAt: null,
    durationMs: null,
    usage: null,
    error: null,
  };
}

function zeroOf(turn: Turn, items: readonly TelemetryItem[]): number {
  const first = turn.askedAt ?? items[0]?.at ?? turn.finishedAt ?? 0;
  return items.reduce((earliest, item) => Math.min(earliest, item.at), first);
}

/**
 * The rows with their parents, each after what it is nested in. A parent must stand before its
 * child, as it began before it: so there are no circles, whatever the ids say.
 */
function nested(rows: readonly Row[], items: readonly TelemetryItem[]): readonly Row[] {
  if (!items.some((item) => "parentSpanId" in item && item.parentSpanId !== null)) return rows;
  const bySpan = new Map<Id, string>();
  const children = new Map<string | null, Row[]>([[null, []]]);
  for (const row of rows) {
    const span = row.item !== null && "spanId" in row.item ? row.item : null;
    const parentKey = (span?.parentSpanId && bySpan.get(span.parentSpanId)) || null;
    children.get(parentKey)?.push({ ...row, parentKey });
    children.set(row.key, []);
    if (span?.spanId) bySpan.set(span.spanId, row.key);
  }
  const ordered: Row[] = [];
  const next = (children.get(null) ?? []).toReversed();
  for (let row = next.pop(); row !== undefined; row = next.pop()) {
    ordered.push(row);
    next.push(...(children.get(row.key) ?? []).toReversed());
  }
  return ordered;
}

/** The earlier row when it says the same. What is not compared follows from what is. */
function kept(row: Row, before: Row | undefined): Row {
  const isSameRow =
    before !== undefined &&
    before.item === row.item &&
    before.status === row.status &&
    before.at === row.at &&
    before.startMs === row.startMs &&
    before.durationMs === row.durationMs &&
    before.isGrowing === row.isGrowing &&
    before.isOfLostAttempt === row.isOfLostAttempt &&
    before.parentKey === row.parentKey;
  return isSameRow ? before : row;
}

function isSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((value, index) => value === others[index]);
}
