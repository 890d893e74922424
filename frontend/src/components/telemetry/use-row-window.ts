import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { type Span, spanEndingAt } from "@/lib/row-window";

export type RowWindow = {
  readonly span: Span;
  /** Shows the part that ends at `end`; null: the end of the list, also as it grows. */
  readonly move: (end: number | null) => void;
};

/**
 * The part of `total` lines that is on the page. Moving it leaves what was on the screen where it
 * was, and the focus in the scroller when its button has gone.
 */
export function useRowWindow(
  total: number,
  scroller: RefObject<HTMLElement | null>,
  endAtFirst: number | null = null,
): RowWindow {
  const [end, setEnd] = useState(endAtFirst);
  const kept = useRef<{ element: Element; top: number } | null>(null);
  const span = spanEndingAt(end, total);

  useLayoutEffect(() => {
    if (kept.current === null || scroller.current === null) return;
    const { element, top } = kept.current;
    kept.current = null;
    if (element.isConnected) {
      scroller.current.scrollTop += element.getBoundingClientRect().top - top;
    }
    if (document.activeElement === document.body) scroller.current.focus({ preventScroll: true });
  });

  function move(newEnd: number | null): void {
    const rows = [...(scroller.current?.querySelectorAll("[data-row]") ?? [])];
    const isLater = newEnd === null || newEnd > span.to;
    const element = rows.at(isLater ? -1 : 0);
    if (element) kept.current = { element, top: element.getBoundingClientRect().top };
    setEnd(newEnd);
  }

  return { span, move };
}
