import { ChevronRight, MessageSquare } from "lucide-react";
import { useLink } from "@/app/link";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/durations";
import { counted } from "@/lib/turn-summary";
import { totalsOf, workedMsAt } from "@/lib/turn-totals";
import type { RowStatus } from "@/lib/waterfall-rows";
import type { Turn, TurnStatus } from "@/session/state";
import { JaegerLink } from "./jaeger-link";
import { Status } from "./row-looks";
import { formatTokens } from "./row-metrics";
import { useGatewayNow } from "./use-gateway-now";

const STATUS: Readonly<Record<TurnStatus, RowStatus>> = {
  waiting: "waiting",
  running: "running",
  completed: "done",
  failed: "failed",
  cancelled: "stopped",
};

type TurnHeaderProps = {
  turn: Turn;
  isOpen: boolean;
  /** The element that it opens; null while that is not on the page. */
  controls: string | undefined;
  onToggle: () => void;
};

/** A turn in two lines: the question with how it went, and what it came to. */
export function TurnHeader({ turn, isOpen, controls, onToggle }: TurnHeaderProps) {
  const showInChat = useLink((link) => link.showInChat);
  const isStray = turn.id === "";
  return (
    <div className="flex items-center gap-1">
      <h3 className="min-w-0 flex-1">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={controls}
          onClick={onToggle}
          className="flex min-h-8 w-full min-w-0 items-center gap-1.5 rounded-md px-1 text-left text-sm font-medium hover:bg-muted touch:min-h-11"
        >
          <ChevronRight
            aria-hidden
            className={cn(
              "size-4 shrink-0 text-muted-foreground transition-transform duration-150",
              isOpen && "rotate-90",
            )}
          />
          <span className="min-w-0 flex-1 truncate">{titleOf(turn)}</span>{" "}
          {!isStray && (
            <span className="flex items-center text-xs">
              <Status status={STATUS[turn.status]} />
            </span>
          )}
        </button>
      </h3>
      {!isStray && (
        <>
          <JaegerLink traceId={turn.traceId} label="Open the turn's trace in Jaeger" />
          <Tooltip content="Show in conversation">
            <Button
              variant="ghost"
              size="icon-sm"
              aria-label="Show in conversation"
              onClick={() => showInChat(turn.id)}
            >
              <MessageSquare aria-hidden />
            </Button>
          </Tooltip>
        </>
      )}
    </div>
  );
}

/** The turn's totals in one line, and why it failed, if it did. */
export function TurnTotals({ turn }: { turn: Turn }) {
  const totals = totalsOf(turn);
  const now = useGatewayNow(totals.workingSince !== null);
  const worked = workedMsAt(totals, now);
  const tokens = formatTokens(totals.promptTokens, totals.completionTokens, " tokens");
  const parts = [
    totals.modelCalls > 0 && counted(totals.modelCalls, "model call"),
    totals.toolCalls > 0 && counted(totals.toolCalls, "tool call"),
    tokens,
    (worked > 0 || totals.workingSince !== null) && formatDuration(worked),
    totals.errors > 0 && counted(totals.errors, "error"),
  ].filter((part) => part !== false && part !== null);
  return (
    <>
      {parts.length > 0 && (
        <p className="pr-2 pb-1 pl-6.5 text-xs text-muted-foreground tabular-nums">
          {parts.join(" · ")}
        </p>
      )}
      {turn.error !== null && (
        <p className="pr-2 pb-1 pl-6.5 text-xs text-destructive wrap-anywhere">
          {turn.error.error}
        </p>
      )}
    </>
  );
}

function titleOf(turn: Turn): string {
  if (turn.id === "") return "Outside any turn";
  const line = turn.content?.trim().replaceAll(/\s+/g, " ");
  return line || "A question that the log no longer has";
}
