import { CircleAlert, CircleStop, RotateCcw } from "lucide-react";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import type { Turn } from "@/session/state";

/** That an earlier attempt went no further, whatever the reason; nothing on the first. */
export function TakeoverNote({ attempt }: { attempt: number }) {
  if (attempt < 2) return null;
  return (
    <p className="flex items-start gap-1.5 text-xs text-muted-foreground">
      <RotateCcw aria-hidden className="mt-px size-3.5 shrink-0" />
      Another worker took over (attempt {attempt})
    </p>
  );
}

type TurnEndingProps = {
  turn: Turn;
  /** Null when it is too late for that. */
  onRetry: ((content: string) => void) | null;
};

/** How a turn ended that was not completed. It is no alert: the announcer tells of it, once. */
export function TurnEnding({ turn, onRetry }: TurnEndingProps) {
  if (turn.status === "cancelled") {
    return (
      <p className="flex items-center gap-1.5 text-xs font-medium text-muted-foreground">
        <CircleStop aria-hidden className="size-3.5" />
        Stopped
      </p>
    );
  }
  return turn.status === "failed" ? <Failed {...{ turn, onRetry }} /> : null;
}

function Failed({ turn, onRetry }: TurnEndingProps) {
  const { content, error } = turn;
  return (
    <div className="flex max-w-full min-w-0 flex-col items-start gap-2 rounded-lg border border-destructive bg-destructive-soft px-3 py-2.5 text-sm text-destructive">
      <p className="flex min-w-0 items-start gap-2">
        <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span className="min-w-0 wrap-anywhere">
          {error?.error ?? "The turn failed."}
          {error && <code className="ms-2 font-mono text-xs">{error.code}</code>}
        </span>
      </p>
      {content !== null && onRetry !== null && <RetryButton onRetry={() => onRetry(content)} />}
    </div>
  );
}

/** It goes away with its first click: what is said again stands below. */
function RetryButton({ onRetry }: { onRetry: () => void }) {
  const button = useFocusHeir<HTMLButtonElement>();
  return (
    <Button ref={button} variant="outline" size="sm" onClick={onRetry}>
      <RotateCcw aria-hidden />
      Retry
    </Button>
  );
}
