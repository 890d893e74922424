import type { ReactNode } from "react";
import { Sheet, SheetContent } from "@/components/ui/sheet";

type TelemetryDrawerProps = { onClose: () => void; children: ReactNode };

/** The open drawer that holds the telemetry where there is no room for it beside the chat. */
export function TelemetryDrawer({ onClose, children }: TelemetryDrawerProps) {
  return (
    <Sheet open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <SheetContent
        side="bottom"
        title="Telemetry"
        description="What the agent is doing and has done in this session."
      >
        {children}
      </SheetContent>
    </Sheet>
  );
}
