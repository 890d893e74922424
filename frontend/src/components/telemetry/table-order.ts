/** The order of the table's rows. Pure. */
import { tokenCountOf } from "@/lib/turn-summary";
import type { Row } from "@/lib/waterfall-rows";
import { labelOf } from "./row-looks";

export type Column =
  | "kind"
  | "name"
  | "status"
  | "start"
  | "duration"
  | "tokens"
  | "attempt"
  | "turn";
export type Order = { readonly column: Column; readonly isDescending: boolean };

/** A row with the number of its turn, from 1; 0 for what has none. */
export type NumberedRow = { readonly row: Row; readonly turnNumber: number };

export const CHRONOLOGICAL: Order = { column: "start", isDescending: false };

/** The order after a click on a column's head: by it, and the other way round when it was already. */
export function orderAfter(order: Order, column: Column): Order {
  return { column, isDescending: order.column === column && !order.isDescending };
}

/** The rows in order, those without a value last; what is equal stays in the order of the log. */
export function ordered(rows: readonly NumberedRow[], order: Order): readonly NumberedRow[] {
  if (order.column === "start" && !order.isDescending) return rows;
  if (order.column === "start") return rows.toReversed();
  const sign = order.isDescending ? -1 : 1;
  return rows.toSorted((some, other) => {
    const value = cellOf(some, order.column);
    const otherValue = cellOf(other, order.column);
    if (value === null || otherValue === null)
      return Number(value === null) - Number(otherValue === null);
    return sign * compare(value, otherValue);
  });
}

function cellOf({ row, turnNumber }: NumberedRow, column: Column): string | number | null {
  switch (column) {
    case "kind":
      return labelOf(row);
    case "name":
      return row.name;
    case "status":
      return row.status;
    case "start":
      return row.at;
    case "duration":
      return row.durationMs;
    case "tokens":
      return row.item === null ? null : tokenCountOf(row.item);
    case "attempt":
      return row.attempt || null;
    case "turn":
      return turnNumber;
  }
}

function compare(some: string | number, other: string | number): number {
  if (typeof some === "number" && typeof other === "number") return some - other;
  return String(some).localeCompare(String(other), "en");
}
