import { useEffect, useRef } from "react";
import { follow, type Happening, NOTHING_WITNESSED, pendingIdsOf } from "@/hooks/live-turns";
import type { WebSocketSession } from "@/hooks/use-web-socket";

export type Watched = Pick<WebSocketSession, "turns" | "messages" | "isLoaded" | "head">;

/** Tells of all that happens in a session from now on, each thing once; history stays untold. */
export function useHappenings(session: Watched, tell: (happening: Happening) => void): void {
  const { turns, messages, isLoaded, head } = session;
  const live = useRef(NOTHING_WITNESSED);
  const latestTell = useRef(tell);
  useEffect(() => {
    latestTell.current = tell;
  });
  useEffect(() => {
    const seen = { turns, isLoaded, head, pending: pendingIdsOf(messages) };
    const { after, happenings } = follow(live.current, seen);
    live.current = after;
    for (const happening of happenings) latestTell.current(happening);
  }, [turns, messages, isLoaded, head]);
}
