import { Wifi, WifiOff } from "lucide-react";
import { reasonInWords, stateInWords } from "@/components/shell/connection-words";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { cn } from "@/lib/cn";
import { accessReasonOf, type ConnectionView, type Id } from "@/session/state";

type ConnectionStatusProps = {
  sessionId: Id;
  connection: ConnectionView;
  onRetry: () => void;
};

/**
 * Whether events come, by icon and word, and why not, unless the conversation says so itself. It
 * speaks to nobody: the announcer tells of changes that last. In a narrow window, trouble takes a
 * row of its own.
 */
export function ConnectionStatus({ sessionId, connection, onRetry }: ConnectionStatusProps) {
  const isFirst = isFirstAttempt(connection);
  const isTrouble = connection.state !== "connected" && !isFirst;
  const isExplained = isTrouble && accessReasonOf(connection) === null;
  const words = isFirst ? "Connecting" : stateInWords(connection.state);
  return (
    <div
      data-state={connection.state}
      data-reconnects={connection.reconnects}
      data-slot="connection-status"
      className={cn(
        "flex min-w-0 items-center gap-2 text-xs",
        isExplained &&
          "max-lg:order-last max-lg:basis-full max-lg:border-t max-lg:px-1 max-lg:py-1.5",
      )}
    >
      <Tooltip content={`Session ${sessionId}`}>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls; this holds none. */}
        <div
          role="group"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: keys must reach the tooltip too.
          tabIndex={0}
          aria-label={`Connection: ${words}`}
          className={cn(
            "flex h-6 shrink-0 items-center gap-1.5 rounded-full px-1.5 font-medium",
            toneOf(connection),
          )}
        >
          {connection.state === "connected" || isFirst ? (
            <Wifi aria-hidden className="size-4 shrink-0" />
          ) : (
            <WifiOff aria-hidden className="size-4 shrink-0" />
          )}
          <span className={isExplained ? undefined : "max-[374px]:sr-only"}>{words}</span>
        </div>
      </Tooltip>
      {isExplained && connection.reason !== null && (
        <span className="min-w-0 text-muted-foreground">{reasonInWords(connection.reason)}</span>
      )}
      {isExplained && <RetryButton onRetry={onRetry} />}
    </div>
  );
}

function RetryButton({ onRetry }: { onRetry: () => void }) {
  // It goes away when it has done its work.
  const button = useFocusHeir<HTMLButtonElement>();
  return (
    <Button ref={button} variant="outline" size="sm" onClick={onRetry} className="max-lg:ml-auto">
      Retry now
    </Button>
  );
}

/** A page that has just been opened has lost nothing yet. */
function isFirstAttempt({ state, reason, reconnects }: ConnectionView): boolean {
  return state === "reconnecting" && reason === null && reconnects === 0;
}

function toneOf(connection: ConnectionView): string {
  if (connection.state === "connected") return "text-success";
  if (isFirstAttempt(connection)) return "text-muted-foreground";
  return connection.state === "reconnecting" ? "text-warning" : "text-destructive";
}
