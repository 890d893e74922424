import { useEffect, useRef } from "react";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import type { Message } from "@/session/messages";

type Contents = Pick<
  WebSocketSession,
  "turns" | "strays" | "messages" | "telemetryEvents" | "isTruncated"
>;

/**
 * The session for the eyes: what has been shown stays shown. A socket that resumes is behind the
 * log for a moment, and one that starts over has nothing of it; a page that took that for loading
 * would take the conversation away under the reader, and give it back without the place, the open
 * rows, the search and the focus. So what was there stands until what replaces it is whole, unless
 * whoever sits there may not read it.
 */
export function useSettledSession(session: WebSocketSession): WebSocketSession {
  const whole = useRef<Contents | null>(null);
  const isForbidden = session.connection.reason === "forbidden";
  useEffect(() => {
    if (isForbidden) whole.current = null;
    else if (session.isLoaded) whole.current = contentsOf(session);
  });
  const before = isForbidden ? null : whole.current;
  if (session.isLoaded || before === null) return session;
  if (goesOn(session, before)) return { ...session, isLoaded: true };
  const messages = [
    ...before.messages.filter((message) => !isPending(message)),
    ...session.messages.filter(isPending),
  ];
  return { ...session, ...before, messages, isLoaded: true };
}

function contentsOf({ turns, strays, messages, telemetryEvents, isTruncated }: Contents): Contents {
  return { turns, strays, messages, telemetryEvents, isTruncated };
}

/** Whether the session still has the last turn that was shown, and may have more. */
function goesOn({ turns }: Contents, before: Contents): boolean {
  const last = before.turns.at(-1);
  return last === undefined || turns.some(({ id }) => id === last.id);
}

function isPending(message: Message): boolean {
  return message.role === "user" && message.pending !== null;
}
