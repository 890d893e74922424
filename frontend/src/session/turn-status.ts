/** What a turn's status means. Pure. */
import type { TurnStatus } from "@/session/state";

/** Nothing of it runs or will run any more. */
export function isOver(status: TurnStatus): boolean {
  return status !== "waiting" && status !== "running";
}
