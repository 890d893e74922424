import { type CSSProperties, createContext, type ReactNode, useContext } from "react";
import { formatTick, growingExtent, ticksOf } from "@/lib/durations";
import { elapsedMs, type TurnLayout } from "@/lib/waterfall";
import { useGatewayNow } from "./use-gateway-now";

/** The length of the axis, in milliseconds. */
const Extent = createContext(1);

/**
 * The time axis that everything inside is drawn on. Bars take its length from a custom property,
 * so while a turn grows only the axis is rendered again, not the rows.
 */
export function TimeAxis({ layout, children }: { layout: TurnLayout; children: ReactNode }) {
  const now = useGatewayNow(layout.totalMs === null);
  const extent = layout.totalMs ?? growingExtent(elapsedMs(layout, now));
  const style: CSSProperties & { "--axis": number } = { "--axis": Math.max(1, extent) };
  return (
    <div style={style} className="relative min-w-0">
      <Extent value={extent}>{children}</Extent>
    </div>
  );
}

/** Its marks with their times: for the eye, as every row says its times in words. */
export function AxisTicks() {
  const extent = useContext(Extent);
  return (
    <div aria-hidden className="relative mr-2 ml-[11px] h-4 text-[0.6875rem] text-muted-foreground">
      {ticksOf(extent).map((tick) => (
        <span
          key={tick}
          style={{ left: `${(100 * tick) / Math.max(1, extent)}%` }}
          className={`absolute whitespace-nowrap tabular-nums ${alignment(tick, extent)}`}
        >
          {formatTick(tick)}
        </span>
      ))}
    </div>
  );
}

/** The lines below the marks, behind the rows. */
export function AxisGrid() {
  const extent = useContext(Extent);
  return (
    <div aria-hidden className="pointer-events-none absolute inset-y-0 right-2 left-[11px]">
      {ticksOf(extent).map((tick) => (
        <span
          key={tick}
          style={{ left: `${(100 * tick) / Math.max(1, extent)}%` }}
          className="absolute inset-y-0 w-px bg-border/70"
        />
      ))}
    </div>
  );
}

/** The outermost marks stay inside the axis. */
function alignment(tick: number, extent: number): string {
  if (tick === 0) return "";
  return tick > extent * 0.92 ? "-translate-x-full" : "-translate-x-1/2";
}
