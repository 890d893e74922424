/** Where the telemetry panel is: beside the chat, or in a drawer where there is no room for both. */
import { useEffect, useMemo, useState } from "react";
import { useLink } from "@/app/link";
import { readStored, writeStored } from "@/app/storage";
import { useMediaQuery } from "@/hooks/use-media-query";

const KEY = "telemetry-panel-collapsed";
const IS_ASIDE = "(min-width: 48rem)";

export type PanelPlace = {
  /** Of the element that holds the panel beside the chat. */
  readonly id: string;
  /** Beside the chat; else a drawer. */
  readonly isAside: boolean;
  readonly isOpen: boolean;
  readonly toggle: () => void;
  readonly close: () => void;
};

/** Whether chat and panel are seen at once. */
export function isPanelBesideChat(): boolean {
  return window.matchMedia(IS_ASIDE).matches;
}

/** Opens the panel when the chat points into it, and clears the way when it points into the chat. */
export function usePanelPlace(): PanelPlace {
  const isAside = useMediaQuery(IS_ASIDE);
  const [isCollapsed, setCollapsed] = useState(() => readStored(KEY) === "true");
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const isOpen = isAside ? !isCollapsed : isDrawerOpen;

  const place = useMemo(() => {
    const setOpen = (open: boolean): void => {
      if (isAside) {
        writeStored(KEY, String(!open));
        setCollapsed(!open);
      } else {
        setDrawerOpen(open);
      }
      // A panel that is opened again shows everything, and a bubble that asks again is heard.
      if (!open) useLink.getState().focusPanel(null);
    };
    const close = (): void => setOpen(false);
    const toggle = (): void => setOpen(!isOpen);
    return { id: "telemetry-panel", isAside, isOpen, toggle, close, setOpen };
  }, [isAside, isOpen]);

  useEffect(
    () =>
      useLink.subscribe((link, before) => {
        if (link.panelTurn !== null && link.panelTurn !== before.panelTurn) place.setOpen(true);
        const isLed = link.chatPlace !== before.chatPlace && link.chatPlace?.isGlance === false;
        if (isLed && !place.isAside) place.close();
      }),
    [place],
  );
  // A drawer that the window has outgrown is not to come back when it shrinks again.
  useEffect(() => {
    if (isAside) setDrawerOpen(false);
  }, [isAside]);
  return place;
}
