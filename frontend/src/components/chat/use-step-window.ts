import { useState } from "react";
import type { Id, ToolCall } from "@/session/state";

/** A turn may take thousands of steps, and as many buttons would make the page slow. */
const MOST_SHOWN = 100;

export type StepWindow = {
  readonly shown: readonly ToolCall[];
  readonly hasEarlier: boolean;
  readonly hasLater: boolean;
  readonly showEarlier: () => void;
  readonly showLater: () => void;
};

/**
 * At most 100 steps: while the turn runs the newest, when it is over the first, unless the reader
 * asks for others or is led to one.
 */
export function useStepWindow(
  calls: readonly ToolCall[],
  isOver: boolean,
  markedItem: Id | null,
): StepWindow {
  const [start, setStart] = useState<number | null>(null);
  const [ledTo, setLedTo] = useState<Id | null>(null);
  const latest = Math.max(0, calls.length - MOST_SHOWN);
  const first = Math.min(start ?? (isOver ? 0 : latest), latest);
  const last = first + MOST_SHOWN;

  const moveTo = (index: number) => setStart(Math.max(0, Math.min(index, latest)));

  // Once for each mark: the reader may go on from there while it lasts.
  if (markedItem !== ledTo) {
    setLedTo(markedItem);
    const index = calls.findIndex((call) => call.id === markedItem);
    if (index >= 0 && (index < first || index >= last)) moveTo(index - MOST_SHOWN / 2);
  }

  return {
    shown: calls.slice(first, last),
    hasEarlier: first > 0,
    hasLater: last < calls.length,
    showEarlier: () => moveTo(first - MOST_SHOWN),
    showLater: () => moveTo(last),
  };
}
