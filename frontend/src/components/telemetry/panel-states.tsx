import { ChartGantt } from "lucide-react";

type NoTelemetryProps = { isLoaded: boolean; isClosed: boolean };

/** What stands where the rows will be, before there are any. */
export function NoTelemetry({ isLoaded, isClosed }: NoTelemetryProps) {
  if (isLoaded) return <EmptyTelemetry />;
  if (!isClosed) return <LoadingTelemetry />;
  return <p className="p-6 text-center text-xs text-muted-foreground">The session is not open.</p>;
}

function EmptyTelemetry() {
  return (
    <div className="flex flex-1 flex-col items-center justify-center gap-2 p-6 text-center">
      <ChartGantt aria-hidden className="size-8 text-muted-foreground" />
      <p className="text-sm font-medium">Nothing has happened yet</p>
      <p className="max-w-64 text-xs text-muted-foreground">
        Ask something: every model call and every tool call appears here while it runs.
      </p>
    </div>
  );
}

/** What stands where nothing passes the filter. */
export function NoMatches() {
  return (
    <p className="p-6 text-center text-xs text-muted-foreground">
      Nothing matches. Change the search, or show more kinds.
    </p>
  );
}

const WIDTHS = ["w-2/3", "w-1/3", "w-1/2", "w-1/4", "w-2/5"];

/** The outline of rows, while the session is being read. */
function LoadingTelemetry() {
  return (
    <div className="flex flex-col gap-4 p-4">
      <p className="sr-only">Loading the telemetry</p>
      {WIDTHS.map((width, index) => (
        <div key={width} aria-hidden className="flex flex-col gap-1.5 motion-safe:animate-pulse">
          <div className="h-3 w-1/3 rounded-sm bg-muted" />
          <div
            style={{ marginLeft: `${index * 12}%` }}
            className={`h-2 max-w-full rounded-sm bg-muted ${width}`}
          />
        </div>
      ))}
    </div>
  );
}
