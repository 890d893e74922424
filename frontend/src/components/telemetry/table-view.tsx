import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { TabsContent } from "@/components/ui/tabs";
import { cn } from "@/lib/cn";
import { MOST_ROWS, type RowPlace } from "@/lib/row-window";
import type { Turn } from "@/session/state";
import { NoMatches } from "./panel-states";
import {
  CHRONOLOGICAL,
  type Column,
  type NumberedRow,
  type Order,
  orderAfter,
  ordered,
} from "./table-order";
import { TableRow } from "./table-row";
import type { TurnGroup } from "./use-groups";
import { useRowWindow } from "./use-row-window";
import { LoadEarlier, LoadLater } from "./window-buttons";

const COLUMNS: readonly { column: Column; label: string; isNumber?: boolean }[] = [
  { column: "kind", label: "Kind" },
  { column: "name", label: "Name" },
  { column: "status", label: "Status" },
  { column: "start", label: "Start", isNumber: true },
  { column: "duration", label: "Duration", isNumber: true },
  { column: "tokens", label: "Tokens", isNumber: true },
  { column: "attempt", label: "Attempt", isNumber: true },
  { column: "turn", label: "Turn", isNumber: true },
];

type TableViewProps = {
  groups: readonly TurnGroup[];
  turns: readonly Turn[];
  /** Leads the reader to this row in the waterfall. */
  onShow: (row: RowPlace) => void;
};

/** The same rows as a table that can be sorted by each of its columns; hidden, it costs nothing. */
export function TableView(props: TableViewProps) {
  const [order, setOrder] = useState(CHRONOLOGICAL);
  return (
    <TabsContent
      value="table"
      tabIndex={-1}
      className="flex min-h-56 flex-col data-[state=inactive]:hidden"
    >
      <SortedTable {...props} order={order} onOrder={setOrder} />
    </TabsContent>
  );
}

type SortedTableProps = TableViewProps & { order: Order; onOrder: (order: Order) => void };

function SortedTable({ groups, turns, onShow, order, onOrder }: SortedTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => numbered(groups, turns), [groups, turns]);
  const sorted = useMemo(() => ordered(rows, order), [rows, order]);
  const { span, move } = useRowWindow(sorted.length, scroller, endAtFirst(order));
  const sortBy = (column: Column) => {
    const after = orderAfter(order, column);
    onOrder(after);
    move(endAtFirst(after));
  };
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form */}
      <div
        ref={scroller}
        role="group"
        aria-label="Table of telemetry"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 scroll-pt-10 overflow-auto"
      >
        <LoadEarlier span={span} total={sorted.length} onMove={move} />
        {sorted.length > 0 && (
          <table className="w-full border-collapse text-left text-xs">
            <caption className="sr-only">Telemetry of the session</caption>
            <thead className="sticky top-0 z-10 bg-card shadow-[inset_0_-1px_0_var(--border)]">
              <tr>
                {COLUMNS.map(({ column, label, isNumber }) => (
                  <HeadCell
                    key={column}
                    label={label}
                    isNumber={isNumber}
                    direction={order.column === column ? order.isDescending : null}
                    onSort={() => sortBy(column)}
                  />
                ))}
              </tr>
            </thead>
            <tbody>
              {sorted.slice(span.from, span.to).map(({ row, turnNumber }) => (
                <TableRow
                  key={`${row.turnId}/${row.key}`}
                  row={row}
                  turnNumber={turnNumber}
                  onShow={() => onShow(row)}
                />
              ))}
            </tbody>
          </table>
        )}
        {sorted.length === 0 && <NoMatches />}
        <LoadLater span={span} total={sorted.length} onMove={move} />
      </div>
    </>
  );
}

/** Time runs towards its end; every other order begins with what was asked for. */
function endAtFirst({ column, isDescending }: Order): number | null {
  return column === "start" && !isDescending ? null : MOST_ROWS;
}

type HeadCellProps = {
  label: string;
  isNumber?: boolean;
  /** Whether it is descending; null: the table is not sorted by it. */
  direction: boolean | null;
  onSort: () => void;
};

function HeadCell({ label, isNumber = false, direction, onSort }: HeadCellProps) {
  const Arrow = direction ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={direction === null ? undefined : direction ? "descending" : "ascending"}
      className="p-0 font-medium"
    >
      <button
        type="button"
        onClick={onSort}
        className={cn(
          "flex min-h-8 w-full items-center gap-1 px-2 whitespace-nowrap hover:bg-accent focus-visible:-outline-offset-2 touch:min-h-11",
          isNumber && "flex-row-reverse",
          direction === null && "text-muted-foreground",
        )}
      >
        {label}
        <Arrow aria-hidden className={cn("size-3", direction === null && "invisible")} />
      </button>
    </th>
  );
}

function numbered(groups: readonly TurnGroup[], turns: readonly Turn[]): readonly NumberedRow[] {
  const numbers = new Map(turns.map((turn, index) => [turn.id, index + 1]));
  return groups.flatMap(({ turn, passing }) =>
    passing.map((row) => ({ row, turnNumber: numbers.get(turn.id) ?? 0 })),
  );
}
