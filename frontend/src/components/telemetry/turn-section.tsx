import { memo, useId, useMemo } from "react";
import { type Branch, branchesOf } from "@/lib/row-window";
import type { TurnLayout } from "@/lib/waterfall";
import type { Row } from "@/lib/waterfall-rows";
import type { Id, Turn } from "@/session/state";
import { SpanRow } from "./span-row";
import { AxisGrid, AxisTicks, TimeAxis } from "./time-axis";
import { TurnHeader, TurnTotals } from "./turn-header";

type TurnSectionProps = {
  turn: Turn;
  layout: TurnLayout;
  /** Those of its rows that are to be on the page. */
  rows: readonly Row[];
  isOpen: boolean;
  onToggle: (turnId: Id, isOpen: boolean) => void;
  /** The reader works in it: it must not close by itself. */
  onUse: (turnId: Id) => void;
};

/** One turn: its header, which stays in view where the panel is high enough, and its waterfall. */
export const TurnSection = memo(function TurnSection(props: TurnSectionProps) {
  const { turn, layout, rows, isOpen, onToggle, onUse } = props;
  const bodyId = useId();
  const branches = useMemo(() => branchesOf(rows, layout.byKey), [rows, layout.byKey]);
  return (
    <li data-turn={turn.id} className="min-w-0 scroll-mt-0 border-b last:border-b-0">
      <TimeAxis layout={layout}>
        <div className="sticky top-0 z-10 [@container_(height<34rem)]:static bg-card px-1.5 pt-1.5">
          <TurnHeader
            turn={turn}
            isOpen={isOpen}
            controls={isOpen ? bodyId : undefined}
            onToggle={() => onToggle(turn.id, !isOpen)}
          />
          <TurnTotals turn={turn} />
          {isOpen && rows.length > 0 && <AxisTicks />}
        </div>
        {isOpen && (
          // biome-ignore lint/a11y/noStaticElementInteractions: it only sees where the reader works
          <div id={bodyId} className="relative px-1.5 pb-2" onFocus={() => onUse(turn.id)}>
            {branches.length === 0 ? (
              <p className="px-2 py-1.5 text-xs text-muted-foreground">Nothing to show yet.</p>
            ) : (
              <>
                <div className="pointer-events-none absolute inset-x-1.5 inset-y-0">
                  <AxisGrid />
                </div>
                <Branches branches={branches} traceId={turn.traceId} label="Steps" />
              </>
            )}
          </div>
        )}
      </TimeAxis>
    </li>
  );
});

type BranchesProps = { branches: readonly Branch[]; traceId: Id | null; label: string };

/** Rows as a list, with the lists of what is nested in them. */
function Branches({ branches, traceId, label }: BranchesProps) {
  return (
    <ol aria-label={label} className="flex min-w-0 flex-col gap-0.5">
      {branches.map(({ row, children, depth }) => (
        <li key={row.key} className="flex min-w-0 flex-col gap-0.5">
          <SpanRow row={row} depth={depth} traceId={traceId} />
          {children.length > 0 && (
            <Branches branches={children} traceId={traceId} label={`Steps of ${row.name}`} />
          )}
        </li>
      ))}
    </ol>
  );
}
