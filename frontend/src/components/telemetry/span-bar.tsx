import type { CSSProperties } from "react";
import { cn } from "@/lib/cn";
import type { Row } from "@/lib/waterfall-rows";
import { looksOf } from "./row-looks";
import { useGatewayNow } from "./use-gateway-now";

type BarStyle = CSSProperties & { "--start": number; "--length": number };

/** Where a row lies on the axis: a bar, or a mark for what has no length. For the eye alone. */
export function SpanBar({ row }: { row: Row }) {
  const now = useGatewayNow(row.isGrowing);
  const length = row.isGrowing ? Math.max(0, now - row.at) : row.durationMs;
  const style: BarStyle = { "--start": row.startMs, "--length": length ?? 0 };
  const ink = looksOf(row).bar;
  return (
    <span aria-hidden style={style} className="relative block h-2 min-w-0">
      {length === null ? (
        <span
          data-mark=""
          className={cn(
            "absolute top-0 left-[min(100%_*_var(--start)_/_var(--axis),100%_-_8px)] size-2 rotate-45 rounded-[1px] border-2 border-current bg-card",
            ink,
          )}
        />
      ) : (
        <span
          data-bar={row.isGrowing ? "growing" : "whole"}
          className={cn(
            "absolute inset-y-0 left-[min(100%_*_var(--start)_/_var(--axis),100%_-_3px)] w-[calc(100%_*_var(--length)_/_var(--axis))] max-w-[calc(100%_-_100%_*_var(--start)_/_var(--axis))] min-w-[3px] overflow-hidden rounded-xs",
            row.kind === "model" && "@container",
            row.isGrowing &&
              "motion-safe:transition-[width,left] motion-safe:duration-250 motion-safe:ease-linear",
            shapeOf(row),
            ink,
          )}
        >
          <FirstToken row={row} />
          {row.isGrowing && (
            <span className="absolute inset-0 bg-linear-to-l from-card/60 to-transparent to-60% motion-safe:animate-pulse" />
          )}
        </span>
      )}
    </span>
  );
}

/** A wait is an outline, an attempt a thin line that spans its calls, a call a solid bar. */
function shapeOf(row: Row): string {
  if (row.kind === "queue") return "border border-current bg-current/15";
  if (row.kind === "attempt") return "my-0.5 border-x-2 border-current bg-current/35";
  if (row.isOfLostAttempt) return "border border-current bg-current/30";
  return "bg-current";
}

/** The wait for the first token is drawn lighter, and a line marks its end, if the bar has room. */
function FirstToken({ row }: { row: Row }) {
  const end = row.item?.kind === "model_call" ? row.item.end : null;
  const first = end?.timeToFirstTokenMs ?? null;
  if (end === null || first === null || end.durationMs <= 0) return null;
  const percent = Math.min(100, Math.max(0, (100 * first) / end.durationMs));
  return (
    <>
      <span
        style={{ width: `${percent}%` }}
        className="absolute inset-y-px left-px bg-card/60 @max-[10px]:hidden"
      />
      <span
        data-first-token=""
        style={{ left: `${percent}%` }}
        className="absolute inset-y-0 -ml-px w-0.5 bg-foreground @max-[10px]:hidden"
      />
    </>
  );
}
