import { Activity } from "lucide-react";
import { Fragment } from "react";
import { useLink } from "@/app/link";
import { CopyButton } from "@/components/ui/copy-button";
import { useNow } from "@/hooks/use-now";
import { formatDuration } from "@/lib/durations";
import { turnSummary } from "@/lib/turn-summary";
import { answerOf } from "@/session/messages";
import type { Turn } from "@/session/state";
import { TimeAgo } from "./time-ago";

/** Under an answer: what it took, which leads to its rows in the panel; a copy of it; when it was. */
export function TurnFooter({ turn, clockSkewMs }: { turn: Turn; clockSkewMs: number }) {
  const isOver = turn.finishedAt !== null;
  const hasAnswer = turn.items.some((item) => item.kind === "text");
  return (
    <div className="flex min-h-7 max-w-full min-w-0 items-center gap-1 touch:min-h-11">
      <SummaryButton turn={turn} clockSkewMs={clockSkewMs} />
      {isOver && hasAnswer && <CopyButton text={() => answerOf(turn)} label="Copy answer" />}
      {turn.finishedAt !== null && <TimeAgo at={turn.finishedAt} clockSkewMs={clockSkewMs} />}
    </div>
  );
}

/** "3 tools · 2 model calls · 1,240 tokens · 4.1 s", counting up while the turn runs. */
function SummaryButton({ turn, clockSkewMs }: { turn: Turn; clockSkewMs: number }) {
  const focusPanel = useLink((link) => link.focusPanel);
  const isRunning = turn.status === "running";
  const startedAt = turn.items.find(
    (item) => item.kind === "attempt" && item.attempt === turn.attempt,
  )?.at;
  const seconds = useNow(
    (now) =>
      isRunning && startedAt !== undefined
        ? Math.max(0, Math.floor((now + clockSkewMs - startedAt) / 1000))
        : 0,
    isRunning,
  );
  const parts = turnSummary(turn);
  if (seconds > 0) parts.push(formatSeconds(seconds));
  if (parts.length === 0) return null;
  return (
    <button
      type="button"
      title="Show in the telemetry"
      onClick={() => focusPanel(turn.id)}
      className="inline-flex min-h-6 min-w-0 items-center gap-1.5 rounded-md px-1.5 text-start text-xs text-muted-foreground tabular-nums transition-colors duration-150 hover:bg-accent hover:text-accent-foreground touch:min-h-11"
    >
      <Activity aria-hidden className="size-3.5 shrink-0" />
      <span>
        {parts.map((part, index) => (
          // The line breaks between the parts, not within one.
          <Fragment key={part}>
            {index > 0 && " · "}
            <span className="whitespace-nowrap">{part}</span>
          </Fragment>
        ))}
      </span>
    </button>
  );
}

/** What still grows is told in whole seconds: tenths would only flicker. */
function formatSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}
