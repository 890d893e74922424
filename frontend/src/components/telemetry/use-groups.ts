import { useMemo, useState } from "react";
import { createRowFilter, type RowFilter } from "@/lib/row-filter";
import { createLayouts, type TurnLayout, turnOfStrays } from "@/lib/waterfall";
import type { Row } from "@/lib/waterfall-rows";
import type { Id, TelemetryItem, Turn } from "@/session/state";
import { isTurnOpen } from "./use-open-turns";

/** A turn as the panel shows it. */
export type TurnGroup = {
  readonly turn: Turn;
  readonly layout: TurnLayout;
  readonly isOpen: boolean;
  /** The rows that pass the filter. */
  readonly passing: readonly Row[];
  /** Those of them that are to be seen: none while the turn is closed. */
  readonly rows: readonly Row[];
};

type Shown = {
  turns: readonly Turn[];
  strays: readonly TelemetryItem[];
  filter: RowFilter;
  /** Only this turn; null: all. */
  onlyTurn: Id | null;
  choices: ReadonlyMap<Id, boolean>;
};

/** The turns with their rows, those without a turn first. While a search is on, turns without a
 * match are left out and the others are open unless the reader closes them. */
export function useGroups({
  turns,
  strays,
  filter,
  onlyTurn,
  choices,
}: Shown): readonly TurnGroup[] {
  const [layoutsOf] = useState(createLayouts);
  const passingOf = useMemo(() => createRowFilter(filter), [filter]);
  const strayTurn = useMemo(() => turnOfStrays(strays), [strays]);
  const isSearching = filter.search.trim() !== "";
  const newestId = (turns.at(-1) ?? strayTurn).id;

  return useMemo(() => {
    const all = strays.length > 0 ? [strayTurn, ...turns] : turns;
    const shown = onlyTurn === null ? all : all.filter((turn) => turn.id === onlyTurn);
    const made = layoutsOf(shown).map(({ turn, layout }) => {
      const passing = passingOf(layout.rows);
      const isOpen = isSearching
        ? (choices.get(turn.id) ?? true)
        : isTurnOpen(turn, newestId, choices);
      return { turn, layout, isOpen, passing, rows: isOpen ? passing : NO_ROWS };
    });
    return isSearching ? made.filter(({ passing }) => passing.length > 0) : made;
  }, [turns, strays, strayTurn, onlyTurn, layoutsOf, passingOf, isSearching, newestId, choices]);
}

const NO_ROWS: readonly Row[] = [];
