/** Deleting a session, for everybody who has it open. */
import { forgetSession } from "@/app/session-list";
import { forgetInTab } from "@/lib/tab-storage";
import type { Id } from "@/session/state";

const deletedHere = new Set<Id>();

/** Whether this tab has deleted the session, or is about to: its log may be empty before the answer. */
export function isDeletedHere(sessionId: Id): boolean {
  return deletedHere.has(sessionId);
}

/**
 * Deletes a session everywhere and takes it off the list; this tab keeps nothing of it. Returns
 * null, or a sentence that says why nothing was deleted.
 */
export async function deleteSession(sessionId: Id): Promise<string | null> {
  deletedHere.add(sessionId);
  const refusal = await askToDelete(sessionId);
  if (refusal !== null) {
    deletedHere.delete(sessionId);
    return refusal;
  }
  forgetSession(sessionId);
  forgetInTab(sessionId);
  return null;
}

async function askToDelete(sessionId: Id): Promise<string | null> {
  let status: number;
  try {
    const response = await fetch(`/sessions/${encodeURIComponent(sessionId)}`, {
      method: "DELETE",
      redirect: "manual",
    });
    // A proxy that signs people in leads to its own page.
    status = response.type === "opaqueredirect" ? 401 : response.status;
  } catch {
    return "The session was not deleted: the service cannot be reached. Try again in a moment.";
  }
  return status === 204 ? null : refusalOf(status);
}

function refusalOf(status: number): string {
  return `The session was not deleted: ${REASONS[status] ?? `the service answered ${status}.`}`;
}

const REASONS: Readonly<Record<number, string>> = {
  401: "you are signed out. Sign in, then try again.",
  403: "you are not allowed to delete it.",
  429: "the service has had too many requests. Try again in a minute.",
  503: "the service has lost its store. Try again in a moment.",
};
