import { useRef } from "react";

/** The element that opened a dialog: for an item of a menu, which closes with it, the menu's button. */
function openerOf(element: Element | null): HTMLElement | null {
  const label = element?.closest('[role="menu"]')?.getAttribute("aria-labelledby");
  const opener = label ? document.getElementById(label) : element;
  return opener instanceof HTMLElement ? opener : null;
}

/**
 * Props for a dialog's content that give focus back to what had it before.
 * Radix does so for its own trigger only; a dialog opened by a shortcut would lose the focus.
 */
export function useReturnFocus() {
  const opener = useRef<HTMLElement | null>(null);
  return {
    onOpenAutoFocus() {
      opener.current = openerOf(document.activeElement);
    },
    onCloseAutoFocus(event: Event) {
      // Whoever closed the dialog may have led the focus somewhere on purpose.
      if (document.activeElement !== document.body) return event.preventDefault();
      if (!opener.current?.isConnected) return;
      event.preventDefault();
      opener.current.focus({ preventScroll: true });
    },
  };
}
