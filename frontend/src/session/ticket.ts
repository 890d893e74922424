/**
 * The ticket that a gateway with authentication wants for each socket: good for one handshake, soon,
 * and kept nowhere. What says who we are is a cookie, which no script can read.
 */
import { backoffMs, type Verdict } from "@/session/reconnect";
import type { Id } from "@/session/state";
import type { Surroundings, TicketHeaders } from "@/session/surroundings";

const CONTENT = { Accept: "application/json", "Content-Type": "application/json" };
/** As long as a tab goes on waiting because it was told to. */
const LONGEST_MS = 300_000;

/** What to open a socket with (null: this gateway has no tickets), or why there is nothing. */
export type TicketAnswer = { readonly kind: "open"; readonly ticket: string | null } | Verdict;

/** Asks for one ticket; never fails. Aborting it makes its answer worthless. */
export async function askForTicket(
  sessionId: Id,
  { gateway, ticketHeaders }: Surroundings,
  signal: AbortSignal,
): Promise<TicketAnswer> {
  let said: TicketHeaders;
  try {
    said = (await ticketHeaders?.()) ?? {};
  } catch (error) {
    console.warn("there is no token for a ticket", error);
    return { kind: "back off", cause: "unauthorized" };
  }
  try {
    const answer = await fetch(`${gateway}/tickets`, {
      method: "POST",
      headers: { ...CONTENT, ...said },
      body: JSON.stringify({ session_id: sessionId }),
      credentials: "same-origin",
      redirect: "manual",
      signal,
    });
    const body = await answer.text(); // also of a refusal: what is left of it would be aborted
    return answer.ok ? { kind: "open", ticket: ticketIn(JSON.parse(body)) } : judge(answer);
  } catch {
    return { kind: "back off", cause: "unreachable" };
  }
}

function ticketIn(body: { readonly ticket?: unknown }): string {
  if (typeof body.ticket !== "string") throw new TypeError("not a ticket");
  return body.ticket;
}

function judge({ type, status, headers }: Response): TicketAnswer {
  // A proxy that signs people in leads to its own page, which only a person can use.
  if (type === "opaqueredirect") return { kind: "stop", reason: "unauthorized" };
  switch (status) {
    case 401:
      return { kind: "stop", reason: "unauthorized" };
    case 403:
      return { kind: "stop", reason: "forbidden" };
    case 404:
      // The page is older than what the gateway has come to want.
      return { kind: "open", ticket: null };
    case 429:
      return { kind: "wait", ms: waitIn(headers.get("Retry-After")), cause: "limited" };
    default:
      return { kind: "back off", cause: status < 500 ? "refused" : "unavailable" };
  }
}

/** A little longer than was asked for, so that not all tabs come back in one moment. */
function waitIn(retryAfter: string | null): number {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
  return Math.min(1000 * seconds, LONGEST_MS) + backoffMs(0);
}
