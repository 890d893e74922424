import type { ReactNode } from "react";
import { useLink } from "@/app/link";
import { cn } from "@/lib/cn";
import { formatClock } from "@/lib/durations";
import { labelOf, looksOf, Status } from "./row-looks";
import { RowDuration, tokensOf } from "./row-metrics";
import type { NumberedRow } from "./table-order";

type TableRowProps = NumberedRow & { onShow: () => void };

/** One row of the table; its name leads to the row in the waterfall, where its details are. */
export function TableRow({ row, turnNumber, onShow }: TableRowProps) {
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
      <th scope="row" className="max-w-48 p-0 font-medium">
        <button
          type="button"
          title={`${row.name}: show in the waterfall`}
          onClick={onShow}
          className="block min-h-7 w-full truncate px-2 text-left underline decoration-dotted underline-offset-3 hover:decoration-solid focus-visible:-outline-offset-2 touch:min-h-11"
        >
          {row.name}
        </button>
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

function NumberCell({ children }: { children: ReactNode }) {
  return (
    <td className="px-2 py-1.5 text-right whitespace-nowrap text-muted-foreground tabular-nums">
      {children}
    </td>
  );
}
