import { ChevronRight } from "lucide-react";
import { type ComponentProps, memo, useId, useState } from "react";
import { useLink } from "@/app/link";
import { fetchRowDetails } from "@/app/parts";
import { Badge } from "@/components/ui/badge";
import { latePart } from "@/components/ui/late-part";
import { isPanelBesideChat } from "@/hooks/use-panel-place";
import { cn } from "@/lib/cn";
import type { Row } from "@/lib/waterfall-rows";
import type { Id } from "@/session/state";
import { labelOf, looksOf } from "./row-looks";
import { RowMetrics } from "./row-metrics";
import { SpanBar } from "./span-bar";

const RowDetails = latePart({
  what: "The details",
  fetch: fetchRowDetails,
  waiting: <p className="py-2 text-xs text-muted-foreground">Loading…</p>,
  className: "py-2 text-xs",
});

/** Indentation ends somewhere: deeper steps are still nested lists, but keep their room. */
const DEEPEST_INDENT = 6;

type SpanRowProps = { row: Row; depth: number; traceId: Id | null };

/** One row of the waterfall: what it is, how it went, where it lies, and behind a click the rest. */
export const SpanRow = memo(function SpanRow({ row, depth, traceId }: SpanRowProps) {
  const [isOpen, setOpen] = useState(false);
  const detailsId = useId();
  const linkId = row.item?.id ?? null;
  const isHovered = useLink((link) => linkId !== null && link.hovered === linkId);
  const hover = useLink((link) => link.hover);
  const toggle = (): void => {
    setOpen(!isOpen);
    if (!isOpen && row.turnId !== "" && isPanelBesideChat()) pointAt(row);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only lights up its place in the chat
    <div
      data-row={row.kind}
      data-key={row.key}
      data-hovered={isHovered || undefined}
      className={cn(
        "relative rounded-r-md border-l-3 [contain-intrinsic-size:auto_2.75rem] [content-visibility:auto]",
        looksOf(row).edge,
        isHovered ? "bg-muted ring-1 ring-ring/60 ring-inset" : "hover:bg-muted",
      )}
      onPointerEnter={() => hover(linkId)}
      onPointerLeave={() => hover(null)}
      onFocus={() => hover(linkId)}
      onBlur={() => hover(null)}
    >
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={isOpen ? detailsId : undefined}
        className="block min-h-10 w-full rounded-r-md px-2 py-1.5 text-left text-xs focus-visible:-outline-offset-2 touch:min-h-11"
        onClick={toggle}
      >
        <span
          style={{ paddingLeft: `${Math.min(depth, DEEPEST_INDENT) * 0.875}rem` }}
          className="mb-1.5 flex min-w-0 flex-wrap items-center gap-x-2 gap-y-0.5"
        >
          <RowName row={row} isOpen={isOpen} />{" "}
          <span className="ml-auto flex flex-wrap items-center justify-end gap-x-2.5 text-muted-foreground tabular-nums">
            <RowMetrics row={row} />
          </span>
        </span>
        <SpanBar row={row} />
      </button>
      {isOpen && (
        <div id={detailsId} className="px-2 pb-2">
          <RowDetails row={row} traceId={traceId} />
        </div>
      )}
    </div>
  );
});

/** Shows where in the conversation the row belongs: a tool call has a place of its own there. */
function pointAt({ turnId, item }: Row): void {
  const { pointInChat } = useLink.getState();
  pointInChat(turnId, item?.kind === "tool_call" ? item.id : undefined);
}

function RowName({ row, isOpen }: { row: Row; isOpen: boolean }) {
  const { icon: Icon, ink } = looksOf(row);
  return (
    <span className="flex min-w-0 max-w-full flex-[1_1_9rem] items-center gap-1.5">
      <ChevronRight
        aria-hidden
        className={cn(
          "size-3.5 shrink-0 text-muted-foreground transition-transform duration-150",
          isOpen && "rotate-90",
        )}
      />
      <Icon aria-hidden className={cn("size-3.5 shrink-0", ink)} />
      <span className={cn("shrink-0 font-medium", ink)}>{labelOf(row)}</span>{" "}
      <span className="truncate font-medium text-foreground" title={row.name}>
        {row.name}
      </span>{" "}
      {row.note !== "" && <span className="truncate text-muted-foreground">{row.note}</span>}{" "}
      {row.kind === "attempt" && row.attempt > 1 && <SmallBadge tone="agent">takeover</SmallBadge>}{" "}
      {row.kind !== "attempt" && row.isOfLostAttempt && (
        <SmallBadge tone="warning">attempt {row.attempt}</SmallBadge>
      )}{" "}
      {row.item?.kind === "tool_call" && (row.item.end?.truncatedBytes ?? 0) > 0 && (
        <SmallBadge tone="outline">cut</SmallBadge>
      )}
    </span>
  );
}

/** No higher than the text beside it, so that all rows have one height. */
function SmallBadge(props: ComponentProps<typeof Badge>) {
  return <Badge className="px-1.5 py-0 text-[0.6875rem] leading-4" {...props} />;
}
