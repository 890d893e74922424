/** The tab's title says what goes on in it, for those who look at another one. */
import { useCallback, useEffect, useState } from "react";
import type { Happening } from "@/hooks/live-turns";

const TITLE = "Fanline - FHIR assistant";

/**
 * Shows in the title whether a reply is on its way, else how many came while nobody looked: those
 * of the happenings that the returned function is given.
 */
export function useDocumentTitle(isRunning: boolean): (happening: Happening) => void {
  const [unread, setUnread] = useState(0);
  const title = titleOf(isRunning, unread);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) setUnread(0);
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return useCallback(({ kind }) => {
    if (kind === "finished" && document.hidden) setUnread((count) => count + 1);
  }, []);
}

export function titleOf(isRunning: boolean, unread: number): string {
  if (isRunning) return `(running) ${TITLE}`;
  return unread > 0 ? `(${unread}) ${TITLE}` : TITLE;
}
