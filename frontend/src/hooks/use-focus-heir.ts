import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * For an element that goes away, often by its own click: whoever has the focus in it must not end
 * up nowhere, where a key that was meant as text is a shortcut. `heirOf` says who gets the focus;
 * without it, that is what scrolls around the element, else the message field.
 */
export function useFocusHeir<E extends HTMLElement>(
  heirOf: (element: E) => HTMLElement | null = nextOf,
): RefObject<E | null> {
  const ref = useRef<E>(null);
  const latest = useRef(heirOf);
  useLayoutEffect(() => {
    latest.current = heirOf;
  });
  useLayoutEffect(() => {
    const element = ref.current;
    return () => {
      // This runs while the element is still there.
      if (element?.contains(document.activeElement) !== true) return;
      latest.current(element)?.focus({ preventScroll: true });
    };
  }, []);
  return ref;
}

function nextOf(element: HTMLElement): HTMLElement | null {
  const scroller = element.parentElement?.closest<HTMLElement>("[tabindex='0']");
  if (scroller) return scroller;
  // On touch the field would bring the keyboard with it.
  const isTouch = window.matchMedia("(pointer: coarse)").matches;
  return document.querySelector(isTouch ? "[role=log]" : "#composer-input");
}
