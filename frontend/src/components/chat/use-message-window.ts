import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import type { Message } from "@/session/messages";
import type { Id } from "@/session/state";

/** More would make a page of a long conversation slow; find-in-page finds what is within. */
const MOST_SHOWN = 200;
const STEP = 100;

export type MessageWindow = {
  readonly shown: readonly Message[];
  readonly hasEarlier: boolean;
  readonly hasLater: boolean;
  readonly showEarlier: () => void;
  readonly showLater: () => void;
  readonly showLatest: () => void;
  /** Moves so that this turn's messages are among the shown. */
  readonly reveal: (turnId: Id) => void;
};

/**
 * At most 200 messages, the newest unless the reader asks for others. A step to earlier or later
 * ones leaves what was on the screen where it was.
 */
export function useMessageWindow(
  messages: readonly Message[],
  log: RefObject<HTMLElement | null>,
): MessageWindow {
  // Null: the newest, also as more come.
  const [end, setEnd] = useState<number | null>(null);
  const kept = useRef<{ element: Element; top: number } | null>(null);
  const count = messages.length;
  const last = Math.min(end ?? count, count);
  const first = Math.max(0, last - MOST_SHOWN);

  useLayoutEffect(() => {
    if (kept.current === null || log.current === null) return;
    const { element, top } = kept.current;
    kept.current = null;
    if (element.isConnected) log.current.scrollTop += element.getBoundingClientRect().top - top;
  });

  function moveTo(newEnd: number): void {
    setEnd(newEnd >= count ? null : Math.max(newEnd, Math.min(MOST_SHOWN, count)));
  }

  function keepPlace(which: 0 | -1): void {
    const items = log.current?.querySelectorAll("li[data-message]") ?? [];
    // What is hidden is nowhere.
    const element = [...items].filter((item) => item.getClientRects().length > 0).at(which);
    kept.current = element ? { element, top: element.getBoundingClientRect().top } : null;
  }

  return {
    shown: messages.slice(first, last),
    hasEarlier: first > 0,
    hasLater: last < count,
    showEarlier: () => {
      keepPlace(0);
      moveTo(last - STEP);
    },
    showLater: () => {
      keepPlace(-1);
      moveTo(last + STEP);
    },
    showLatest: () => setEnd(null),
    reveal: (turnId) => {
      const index = messages.findIndex((message) => message.turnId === turnId);
      if (index >= 0 && (index < first || index >= last)) moveTo(index + STEP);
    },
  };
}
