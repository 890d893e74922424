import { memo } from "react";
import type { TelemetryItem, Turn } from "@/session/state";
import { PanelBody } from "./panel-body";
import { PanelHeading } from "./panel-heading";
import { NoTelemetry } from "./panel-states";
import { ClockSkew } from "./use-gateway-now";

type TelemetryPanelProps = {
  turns: readonly Turn[];
  /** Events that belong to no turn. */
  strays: readonly TelemetryItem[];
  telemetryEvents: readonly TelemetryItem[];
  /** The gateway's clock minus ours, in milliseconds. */
  clockSkewMs: number;
  isLoaded: boolean;
  /** Whoever looks may not read the session as things are: nothing is being loaded. */
  isClosed: boolean;
};

/**
 * What the agent does, as it does it: totals, and a waterfall for each turn, or the same as a
 * table. It fills its container, whose size decides how dense it is; 280 px of width are enough.
 * Fed by events alone: it asks nobody.
 */
export const TelemetryPanel = memo(function TelemetryPanel(props: TelemetryPanelProps) {
  const { turns, strays, telemetryEvents, clockSkewMs, isLoaded, isClosed } = props;
  const isEmpty = turns.length === 0 && strays.length === 0;
  return (
    <ClockSkew value={clockSkewMs}>
      <div
        data-slot="telemetry-panel"
        className="[container-type:size] flex h-full min-h-0 min-w-0 flex-col bg-card text-card-foreground"
      >
        {isLoaded && !isEmpty ? (
          <PanelBody turns={turns} strays={strays} eventCount={telemetryEvents.length} />
        ) : (
          <>
            <PanelHeading eventCount={null} />
            <NoTelemetry isLoaded={isLoaded} isClosed={isClosed} />
          </>
        )}
      </div>
    </ClockSkew>
  );
});
