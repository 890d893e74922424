/** The tab's title says what goes on in it, for those who look at another one. */
import { useEffect, useRef, useState } from "react";
import { follow, isAnyRunning, NOTHING_WITNESSED, pendingIdsOf } from "@/hooks/live-turns";
import type { WebSocketSession } from "@/hooks/use-web-socket";

const TITLE = "Fanline - FHIR assistant";

/** Shows in the title whether a reply is on its way, else how many came while nobody looked. */
export function useDocumentTitle({
  turns,
  messages,
  isLoaded,
}: Pick<WebSocketSession, "turns" | "messages" | "isLoaded">): void {
  const unread = useUnreadReplies({ turns, messages, isLoaded });
  const title = titleOf(isLoaded && isAnyRunning(turns), unread);
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export function titleOf(isRunning: boolean, unread: number): string {
  if (isRunning) return `(running) ${TITLE}`;
  return unread > 0 ? `(${unread}) ${TITLE}` : TITLE;
}

function useUnreadReplies({
  turns,
  messages,
  isLoaded,
}: Pick<WebSocketSession, "turns" | "messages" | "isLoaded">): number {
  const [unread, setUnread] = useState(0);
  const live = useRef(NOTHING_WITNESSED);
  useEffect(() => {
    const seen = { turns, isLoaded, pending: pendingIdsOf(messages) };
    const { after, happenings } = follow(live.current, seen);
    live.current = after;
    const finished = happenings.filter(({ kind }) => kind === "finished").length;
    if (document.hidden && finished > 0) setUnread((count) => count + finished);
  }, [turns, messages, isLoaded]);
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) setUnread(0);
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return unread;
}
