import type { ReactNode } from "react";
import { Badge } from "@/components/ui/badge";

type PanelHeadingProps = {
  /** Null while there are none to count. */
  eventCount: number | null;
  /** The controls beside the heading. */
  children?: ReactNode;
};

/** The panel's name, how many events it holds, and its controls. */
export function PanelHeading({ eventCount, children }: PanelHeadingProps) {
  return (
    <div className="flex min-h-11 shrink-0 items-center gap-2 px-3 py-1">
      {/* The drawer of a narrow window has a title of its own. */}
      <h2 className="text-sm font-semibold max-md:hidden">Telemetry</h2>
      {eventCount !== null && (
        <Badge title={`${eventCount.toLocaleString("en")} events`}>
          {eventCount.toLocaleString("en")}
          <span className="sr-only"> events</span>
        </Badge>
      )}
      <div className="ml-auto flex items-center gap-1">{children}</div>
    </div>
  );
}
