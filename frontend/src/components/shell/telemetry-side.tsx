import { lazy, Suspense } from "react";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import { Sheet, SheetContent } from "@/components/ui/sheet";
import type { PanelPlace } from "@/hooks/use-panel-place";
import type { WebSocketSession } from "@/hooks/use-web-socket";

// The chat comes first; a phone that never opens the drawer never fetches what is in it.
const TelemetryPanel = lazy(async () => ({
  default: (await import("@/components/telemetry/TelemetryPanel")).TelemetryPanel,
}));

type TelemetrySideProps = { session: WebSocketSession; place: PanelPlace };

/** The telemetry panel where there is room for it; closed, it costs nothing. */
export function TelemetrySide({ session, place }: TelemetrySideProps) {
  const panel = place.isOpen && (
    <ErrorBoundary what="The telemetry" className="h-full">
      <Suspense>
        <TelemetryPanel
          turns={session.turns}
          strays={session.strays}
          telemetryEvents={session.telemetryEvents}
          clockSkewMs={session.clockSkewMs}
          isLoaded={session.isLoaded}
        />
      </Suspense>
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
  return (
    <Sheet open={place.isOpen} onOpenChange={(isOpen) => !isOpen && place.close()}>
      <SheetContent
        side="bottom"
        title="Telemetry"
        description="What the agent is doing and has done in this session."
      >
        {panel}
      </SheetContent>
    </Sheet>
  );
}
