/** The page as a session's surroundings. */
import { wantsTickets } from "@/lib/sign-in";
import type { Surroundings, Watcher } from "@/session/surroundings";

const HIDDEN_MS = 250;

export function pageSurroundings(): Surroundings {
  return {
    gateway: location.origin,
    openSocket: (url) => new WebSocket(url),
    get ticketHeaders() {
      return wantsTickets() ? () => ({}) : null; // the cookie goes along by itself
    },
    storage: () => sessionStorage,
    isOnline: () => navigator.onLine,
    watch,
    schedule,
  };
}

function watch({ onOnline, onOffline, onVisible }: Watcher): () => void {
  const onVisibilityChange = () => {
    if (!document.hidden) onVisible();
  };
  window.addEventListener("online", onOnline);
  window.addEventListener("offline", onOffline);
  document.addEventListener("visibilitychange", onVisibilityChange);
  return () => {
    window.removeEventListener("online", onOnline);
    window.removeEventListener("offline", onOffline);
    document.removeEventListener("visibilitychange", onVisibilityChange);
  };
}

/** At most once per animation frame. A hidden tab gets none: there a slow timer does it, so that the
 * state (and with it the cursor) keeps up and the title can say what happened. */
function schedule(flush: () => void): () => void {
  if (document.hidden) {
    const timer = setTimeout(flush, HIDDEN_MS);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(flush);
  // Hidden before it was painted: there would be no animation frame until the tab is looked at.
  document.addEventListener("visibilitychange", flush);
  return () => {
    cancelAnimationFrame(frame);
    document.removeEventListener("visibilitychange", flush);
  };
}
