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
    readonly count: number;
  } | null;
  /** The step under the pointer or with the focus, in either of them. */
  readonly hovered: Id | null;
  focusPanel(turnId: Id | null): void;
  showInChat(turnId: Id, itemId?: Id): void;
  hover(itemId: Id | null): void;
};

export const useLink = create<Link>((set) => ({
  panelTurn: null,
  chatPlace: null,
  hovered: null,
  focusPanel: (turnId) => set({ panelTurn: turnId }),
  showInChat: (turnId, itemId) =>
    set((link) => ({
      chatPlace: { turnId, itemId: itemId ?? null, count: (link.chatPlace?.count ?? 0) + 1 },
    })),
  hover: (itemId) => set({ hovered: itemId }),
}));
