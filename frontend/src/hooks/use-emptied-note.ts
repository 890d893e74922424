import { useEffect, useRef } from "react";
import { isDeletedHere } from "@/app/delete-session";
import { announcements } from "@/components/shell/announcement-queue";
import { showToast } from "@/components/ui/toast-store";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import type { Id } from "@/session/state";

const GONE = "This session was deleted or has expired.";

/** Says so, to eyes and ears, when all that a session held is gone and not by this tab's hand. */
export function useEmptiedNote(
  sessionId: Id,
  { isLoaded, turns }: Pick<WebSocketSession, "isLoaded" | "turns">,
): void {
  const hadTurns = useRef(false);
  const hasTurns = turns.length > 0;
  useEffect(() => {
    if (!isLoaded) return;
    const isEmptied = hadTurns.current && !hasTurns;
    hadTurns.current = hasTurns;
    if (!isEmptied || isDeletedHere(sessionId)) return;
    showToast(GONE);
    announcements.announce({ region: "note", text: GONE });
  }, [sessionId, isLoaded, hasTurns]);
}
