/** Which rows of the telemetry are shown: by kind, and by what they say. Pure. */
import type { Row, RowKind } from "@/lib/waterfall-rows";
import type { TelemetryItem } from "@/session/state";

export type KindGroup = "model" | "tool" | "event";

export type RowFilter = {
  readonly hidden: ReadonlySet<KindGroup>;
  /** Every word of it must be found; blank: everything is. */
  readonly search: string;
};

export const SHOW_ALL: RowFilter = { hidden: new Set(), search: "" };

const GROUPS: Readonly<Record<RowKind, KindGroup>> = {
  model: "model",
  tool: "tool",
  queue: "event",
  attempt: "event",
  custom: "event",
  error: "event",
  unknown: "event",
};

/** The rows that pass; the very same list when all do. Remember one such function for one filter. */
export function createRowFilter(filter: RowFilter): (rows: readonly Row[]) => readonly Row[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  const cache = new WeakMap<readonly Row[], readonly Row[]>();
  if (words.length === 0 && filter.hidden.size === 0) return (rows) => rows;
  const passes = (row: Row): boolean =>
    !filter.hidden.has(GROUPS[row.kind]) && words.every((word) => textOf(row).includes(word));
  return (rows) => {
    let shown = cache.get(rows);
    if (shown === undefined) {
      shown = rows.filter(passes);
      cache.set(rows, shown);
    }
    return shown;
  };
}

const texts = new WeakMap<TelemetryItem, string>();

/** All that can be searched of a row, in lower case; made when first asked for. */
function textOf(row: Row): string {
  if (row.item === null) return row.name.toLowerCase();
  let text = texts.get(row.item);
  if (text === undefined) {
    text = [row.name, row.note, ...wordsOf(row.item)].join("\n").toLowerCase();
    texts.set(row.item, text);
  }
  return text;
}

function wordsOf(item: TelemetryItem): readonly string[] {
  switch (item.kind) {
    case "tool_call":
      return [JSON.stringify(item.arguments), item.end?.result ?? ""];
    case "model_call":
      return [item.provider, item.end?.finishReason ?? ""];
    case "custom":
      return [JSON.stringify(item.data)];
    case "unknown":
      return [JSON.stringify(item.fields)];
    default:
      return [];
  }
}
