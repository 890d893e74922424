/** What links the chat and the telemetry panel, both ways. */
import { create } from "zustand";
import type { Id } from "@/session/state";

type Link = {
  /** The panel shows the rows of this turn only; null: of all. */
  readonly panelTurn: Id | null;
  /** The place in the conversation to show; `count` makes a second click on the same place count. */
  readonly chatPlace: {
    readonly turnId: Id;
    readonly itemId: Id | null;
    /** The reader is elsewhere and stays there: the place is shown, and does not get the focus. */
    readonly isGlance: boolean;
    readonly count: number;
  } | null;
  /** The step under the pointer or with the focus, in either of them. */
  readonly hovered: Id | null;
  focusPanel(turnId: Id | null): void;
  /** Leads the reader there. */
  showInChat(turnId: Id, itemId?: Id): void;
  /** Shows where it is, and leaves the reader where they are. */
  pointInChat(turnId: Id, itemId?: Id): void;
  hover(itemId: Id | null): void;
};

export const useLink = create<Link>((set) => ({
  panelTurn: null,
  chatPlace: null,
  hovered: null,
  focusPanel: (turnId) => set({ panelTurn: turnId }),
  showInChat: (turnId, itemId) => set(placeAfter({ turnId, itemId, isGlance: false })),
  pointInChat: (turnId, itemId) => set(placeAfter({ turnId, itemId, isGlance: true })),
  hover: (itemId) => set({ hovered: itemId }),
}));

function placeAfter(asked: { turnId: Id; itemId: Id | undefined; isGlance: boolean }) {
  return ({ chatPlace }: Link): Pick<Link, "chatPlace"> => ({
    chatPlace: { ...asked, itemId: asked.itemId ?? null, count: (chatPlace?.count ?? 0) + 1 },
  });
}
