import { fetchTelemetryDrawer, fetchTelemetryPanel } from "@/app/parts";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import { latePart } from "@/components/ui/late-part";
import type { PanelPlace } from "@/hooks/use-panel-place";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import { accessReasonOf } from "@/session/state";

// The chat comes first, and beside the chat there is no drawer.
const TelemetryPanel = latePart({
  what: "The telemetry",
  fetch: fetchTelemetryPanel,
  className: "p-6",
});
const TelemetryDrawer = latePart({
  what: "The telemetry",
  fetch: fetchTelemetryDrawer,
  className: "fixed inset-x-4 bottom-4 z-50 rounded-lg border bg-popover p-4 shadow-lg",
});

type TelemetrySideProps = { session: WebSocketSession; place: PanelPlace };

/** The telemetry panel where there is room for it; closed, it costs nothing. */
export function TelemetrySide({ session, place }: TelemetrySideProps) {
  const panel = place.isOpen && (
    <ErrorBoundary what="The telemetry" className="h-full">
      <TelemetryPanel
        turns={session.turns}
        strays={session.strays}
        telemetryEvents={session.telemetryEvents}
        clockSkewMs={session.clockSkewMs}
        isLoaded={session.isLoaded}
        isClosed={accessReasonOf(session.connection) !== null}
      />
    </ErrorBoundary>
  );
  if (place.isAside) {
    return (
      <aside
        id={place.id}
        aria-label="Telemetry"
        hidden={!place.isOpen}
        className="w-2/5 max-w-[600px] min-w-80 shrink-0 overflow-hidden border-l"
      >
        {panel}
      </aside>
    );
  }
  return place.isOpen && <TelemetryDrawer onClose={place.close}>{panel}</TelemetryDrawer>;
}
