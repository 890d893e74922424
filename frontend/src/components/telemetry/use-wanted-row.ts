import { type RefObject, useEffect } from "react";
import { endAround, lineOf, type RowPlace } from "@/lib/row-window";
import type { TurnGroup } from "./use-groups";
import type { RowWindow } from "./use-row-window";

type Waterfall = RowWindow & {
  groups: readonly TurnGroup[];
  scroller: RefObject<HTMLElement | null>;
  stopScroll: () => void;
};

/**
 * Leads the reader to `wanted`, a row that may not be on the page yet: brings it there, scrolls to
 * it, opens it and gives it the focus; then calls `onFound`.
 */
export function useWantedRow(
  wanted: RowPlace | null,
  onFound: () => void,
  { groups, scroller, span, move, stopScroll }: Waterfall,
): void {
  useEffect(() => {
    if (wanted === null || scroller.current === null) return;
    const line = lineOf(groups, wanted);
    // Its turn is about to open.
    if (line === null) return;
    stopScroll();
    if (line < span.from || line >= span.to) {
      move(endAround(line));
      return;
    }
    const row = findRow(scroller.current, wanted);
    if (row === undefined) return;
    onFound();
    const button = row.querySelector("button");
    if (button?.getAttribute("aria-expanded") === "false") button.click();
    button?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "start" });
  }, [wanted, onFound, groups, scroller, span, move, stopScroll]);
}

/** An id is any text, so it is compared, not written into a selector. */
function findRow(scroller: HTMLElement, { turnId, key }: RowPlace): HTMLElement | undefined {
  const turns = [...scroller.querySelectorAll<HTMLElement>("[data-turn]")];
  const turn = turns.find(({ dataset }) => dataset.turn === turnId);
  const rows = [...(turn?.querySelectorAll<HTMLElement>("[data-key]") ?? [])];
  return rows.find(({ dataset }) => dataset.key === key);
}
