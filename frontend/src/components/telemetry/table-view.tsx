import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useLink } from "@/app/link";
import { TabsContent } from "@/components/ui/tabs";
import { cn } from "@/lib/cn";
import { formatClock } from "@/lib/durations";
import { MOST_ROWS } from "@/lib/row-window";
import type { Turn } from "@/session/state";
import { NoMatches } from "./panel-states";
import { labelOf, looksOf, Status } from "./row-looks";
import { RowDuration, tokensOf } from "./row-metrics";
import { CHRONOLOGICAL, type Column, type NumberedRow, orderAfter, ordered } from "./table-order";
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

type TableViewProps = { groups: readonly TurnGroup[]; turns: readonly Turn[] };

/** The same rows as a table that can be sorted by each of its columns. */
export function TableView({ groups, turns }: TableViewProps) {
  const [order, setOrder] = useState(CHRONOLOGICAL);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => numbered(groups, turns), [groups, turns]);
  const sorted = useMemo(() => ordered(rows, order), [rows, order]);
  const { span, move } = useRowWindow(sorted.length, scroller);
  const sortBy = (column: Column) => {
    const after = orderAfter(order, column);
    setOrder(after);
    // Time runs towards its end; every other order begins with what was asked for.
    move(after.column === "start" && !after.isDescending ? null : MOST_ROWS);
  };
  return (
    <TabsContent
      value="table"
      tabIndex={-1}
      className="flex min-h-56 flex-col data-[state=inactive]:hidden"
    >
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
                <BodyRow key={`${row.turnId}/${row.key}`} row={row} turnNumber={turnNumber} />
              ))}
            </tbody>
          </table>
        )}
        {sorted.length === 0 && <NoMatches />}
        <LoadLater span={span} total={sorted.length} onMove={move} />
      </div>
    </TabsContent>
  );
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

function BodyRow({ row, turnNumber }: NumberedRow) {
  const { icon: Icon, ink, edge } = looksOf(row);
  const hover = useLink((link) => link.hover);
  const isHovered = useLink((link) => row.item !== null && link.hovered === row.item.id);
  return (
    <tr
      data-row={row.kind}
      data-hovered={isHovered || undefined}
      className={cn("border-b", isHovered ? "bg-muted" : "hover:bg-muted")}
      onPointerEnter={() => hover(row.item?.id ?? null)}
      onPointerLeave={() => hover(null)}
    >
      <td className={cn("border-l-3 px-2 py-1.5 font-medium whitespace-nowrap", edge, ink)}>
        <span className="inline-flex items-center gap-1.5">
          <Icon aria-hidden className="size-3.5" />
          {labelOf(row)}
        </span>
      </td>
      <th scope="row" className="max-w-48 truncate px-2 py-1.5 font-medium" title={row.name}>
        {row.name}
      </th>
      <td className="px-2 py-1.5">{row.status !== null && <Status status={row.status} />}</td>
      <NumberCell>{formatClock(row.at)}</NumberCell>
      <NumberCell>
        <RowDuration row={row} />
      </NumberCell>
      <NumberCell>{tokensOf(row)}</NumberCell>
      <NumberCell>{row.attempt > 0 && row.attempt}</NumberCell>
      <NumberCell>{turnNumber > 0 && turnNumber}</NumberCell>
    </tr>
  );
}

function NumberCell({ children }: { children: React.ReactNode }) {
  return (
    <td className="px-2 py-1.5 text-right whitespace-nowrap text-muted-foreground tabular-nums">
      {children}
    </td>
  );
}

function numbered(groups: readonly TurnGroup[], turns: readonly Turn[]): readonly NumberedRow[] {
  const numbers = new Map(turns.map((turn, index) => [turn.id, index + 1]));
  return groups.flatMap(({ turn, passing }) =>
    passing.map((row) => ({ row, turnNumber: numbers.get(turn.id) ?? 0 })),
  );
}
