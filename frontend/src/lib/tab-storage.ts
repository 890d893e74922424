/** What this tab keeps of a session, for as long as the tab lives; all of it may be clinical. */
import { OUTBOX_PREFIX } from "@/session/outbox";

export const DRAFT_PREFIX = "fanline-draft:";

/** Nothing of a deleted session stays behind. */
export function forgetInTab(sessionId: string): void {
  try {
    for (const prefix of [DRAFT_PREFIX, OUTBOX_PREFIX]) {
      window.sessionStorage.removeItem(prefix + sessionId);
    }
  } catch {
    // Storage is forbidden: nothing was kept.
  }
}
