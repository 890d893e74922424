import { type RefObject, useEffect, useRef, useState } from "react";
import { useLink } from "@/app/link";
import type { Id } from "@/session/state";

const MARKED_MS = 2000;

type Place = NonNullable<ReturnType<typeof useLink.getState>["chatPlace"]>;

/**
 * Leads the reader to the place in the conversation that the panel names: `prepare` brings the turn
 * into the DOM, then it is scrolled to and gets the focus. A mere glance moves no focus, and nothing
 * at all when the place is in view. Returns the place for two seconds.
 */
export function useChatPlace(
  log: RefObject<HTMLElement | null>,
  prepare: (turnId: Id) => void,
): Place | null {
  const place = useLink((link) => link.chatPlace);
  const [marked, setMarked] = useState<Place | null>(null);
  // What was asked for before this list was there was asked of another.
  const handled = useRef(place?.count ?? 0);
  const latestPrepare = useRef(prepare);
  useEffect(() => {
    latestPrepare.current = prepare;
  });

  useEffect(() => {
    if (place === null || place.count === handled.current) return;
    handled.current = place.count;
    if (!isSeenAlready(log.current, place)) latestPrepare.current(place.turnId);
    setMarked(place);
  }, [place, log]);

  useEffect(() => {
    if (marked === null) return;
    if (log.current !== null) showPlace(log.current, marked);
    const timer = setTimeout(() => setMarked(null), MARKED_MS);
    return () => clearTimeout(timer);
  }, [marked, log]);

  return marked;
}

function showPlace(log: HTMLElement, place: Place): void {
  const target = findPlace(log, place.turnId, place.itemId);
  if (target === null || isSeenAlready(log, place)) return;
  const isReduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  // A long way would be a blur, and over before the end of the mark.
  const isFar = Math.abs(target.getBoundingClientRect().top) > 2 * window.innerHeight;
  if (!place.isGlance) target.focus({ preventScroll: true });
  target.scrollIntoView({
    // Of what does not fit, the beginning.
    block: target.offsetHeight > log.clientHeight ? "start" : "center",
    behavior: isReduced || isFar ? "auto" : "smooth",
  });
}

/** Of a glance: whether its place, or as much of it as fills half of the log, is in view. */
function isSeenAlready(log: HTMLElement | null, { turnId, itemId, isGlance }: Place): boolean {
  if (log === null || !isGlance) return false;
  const target = findPlace(log, turnId, itemId);
  // A step may be folded away; its answer does not stand in for it yet.
  if (target === null || (itemId !== null && target.dataset.item !== itemId)) return false;
  const place = target.getBoundingClientRect();
  const view = log.getBoundingClientRect();
  const seen = Math.min(place.bottom, view.bottom) - Math.max(place.top, view.top);
  return seen >= Math.min(place.height, view.height / 2);
}

/** The step; else the answer, which a turn that waits does not have; else the question. */
function findPlace(log: HTMLElement, turnId: Id, itemId: Id | null): HTMLElement | null {
  const find = (name: "item" | "message", id: Id) =>
    [...log.querySelectorAll<HTMLElement>(`[data-${name}]`)].find(
      // An id is any text, so it is compared, not written into a selector.
      ({ dataset }) => dataset[name] === id,
    );
  const messageOf = (id: Id) => find("message", id)?.querySelector<HTMLElement>("article");
  const step = itemId === null ? undefined : find("item", itemId);
  return step ?? messageOf(`${turnId}/answer`) ?? messageOf(turnId) ?? null;
}
