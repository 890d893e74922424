/** The telemetry of a session as one list: what the panel shows as rows. */
import type { TelemetryItem, Turn } from "@/session/state";
import { isText } from "@/session/turn-reducer";

const cache = new WeakMap<Turn, readonly TelemetryItem[]>();

/** Every telemetry event, turn by turn, then those that belong to none. */
export function telemetryOf(
  turns: readonly Turn[],
  strays: readonly TelemetryItem[],
): readonly TelemetryItem[] {
  return [...turns.flatMap(telemetryOfTurn), ...strays];
}

/** A turn's telemetry in the order of the log; the same array for as long as it has not changed. */
export function telemetryOfTurn(turn: Turn): readonly TelemetryItem[] {
  let items = cache.get(turn);
  if (items === undefined) {
    items = turn.items.filter((item): item is TelemetryItem => !isText(item));
    cache.set(turn, items);
  }
  return items;
}
