import { CircleAlert, CircleStop, RotateCcw } from "lucide-react";
import { Button } from "@/components/ui/button";
import type { Turn } from "@/session/state";

/** That an earlier attempt was lost; nothing on the first. */
export function TakeoverNote({ attempt }: { attempt: number }) {
  if (attempt < 2) return null;
  return (
    <p className="flex items-start gap-1.5 text-xs text-muted-foreground">
      <RotateCcw aria-hidden className="mt-px size-3.5 shrink-0" />
      Attempt {attempt}: the worker was lost, another took over
    </p>
  );
}

type TurnEndingProps = {
  turn: Turn;
  /** It ended while this page was looking on, so a failure is told aloud. */
  isNews: boolean;
  onRetry: (content: string) => void;
};

/** How a turn ended that was not completed. */
export function TurnEnding({ turn, isNews, onRetry }: TurnEndingProps) {
  if (turn.status === "cancelled") {
    return (
      <p className="flex items-center gap-1.5 text-xs font-medium text-muted-foreground">
        <CircleStop aria-hidden className="size-3.5" />
        Stopped
      </p>
    );
  }
  return turn.status === "failed" ? <Failed {...{ turn, isNews, onRetry }} /> : null;
}

function Failed({ turn, isNews, onRetry }: TurnEndingProps) {
  const { content, error } = turn;
  return (
    <div className="flex max-w-full min-w-0 flex-col items-start gap-2 rounded-lg border border-destructive bg-destructive-soft px-3 py-2.5 text-sm text-destructive">
      <p role={isNews ? "alert" : undefined} className="flex min-w-0 items-start gap-2">
        <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span className="min-w-0 wrap-anywhere">
          {error?.error ?? "The turn failed."}
          {error && <code className="ms-2 font-mono text-xs">{error.code}</code>}
        </span>
      </p>
      {content !== null && (
        <Button variant="outline" size="sm" onClick={() => onRetry(content)}>
          <RotateCcw aria-hidden />
          Retry
        </Button>
      )}
    </div>
  );
}
