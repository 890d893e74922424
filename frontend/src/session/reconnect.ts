/** When to come back, and whether. Pure. */
import type { ConnectionReason } from "@/session/state";

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
/** A socket that was open for so long was a success: the next failure is the first again. */
export const STABLE_MS = 5000;
/** After so many failures in a row the page says `disconnected`; it goes on trying. */
export const MANY_FAILURES = 10;

/** How long to wait after `failures` earlier ones: a random share, at least half, of a bound that
 * doubles each time. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 30));
  return bound * (0.5 + random() / 2);
}

/** What the end of a socket asks for, or of the try to open one; with its cause where that is told. */
export type Verdict = { readonly cause?: ConnectionReason } & (
  | { readonly kind: "back off" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "renew" }
  | { readonly kind: "too big" }
  | { readonly kind: "stop"; readonly reason: "refused" | "unauthorized" | "forbidden" }
);

const POLICY = 1008;
const TOO_BIG = 1009;
const DRAINING = 1012;
const TOKEN_EXPIRED = 4401;

/** What a close asks for (docs/protocol.md, close codes). */
export function judgeClose(code: number, reason: string): Verdict {
  switch (code) {
    case POLICY:
      return { kind: "stop", reason: "refused" };
    case TOKEN_EXPIRED:
      return { kind: "renew" };
    case TOO_BIG:
      return { kind: "too big" };
    case DRAINING:
      return /^\d{1,6}$/.test(reason)
        ? { kind: "wait", ms: Math.min(Number(reason), LONGEST_MS) }
        : { kind: "back off" };
    default:
      return { kind: "back off" };
  }
}

/** How long to wait after `failures` earlier ones and this one. */
export function waitMs(verdict: Verdict, failures: number): number {
  if (verdict.kind === "wait") return verdict.ms;
  // The end of a token is nobody's failure; but one that is over at once must make no busy loop.
  if (verdict.kind === "renew" && failures === 0) return 0;
  return backoffMs(failures);
}
