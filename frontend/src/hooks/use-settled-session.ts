import { useState } from "react";
import type { WebSocketSession } from "@/hooks/use-web-socket";

/**
 * The session for the eyes: what has been shown stays shown. A socket that resumes is behind the
 * log for a moment; a page that took that for loading would take the conversation away under the
 * reader, and give it back without the place, the open rows and the filter.
 */
export function useSettledSession(session: WebSocketSession): WebSocketSession {
  const [hasLoaded, setHasLoaded] = useState(session.isLoaded);
  if (session.isLoaded && !hasLoaded) setHasLoaded(true);
  const isLoaded = session.isLoaded || (hasLoaded && session.turns.length > 0);
  return isLoaded === session.isLoaded ? session : { ...session, isLoaded };
}
