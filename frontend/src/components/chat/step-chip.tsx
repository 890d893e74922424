import { Check, Database, LoaderCircle, X } from "lucide-react";
import { useLink } from "@/app/link";
import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/durations";
import type { Id, ToolCall } from "@/session/state";

/** What a tool does while it runs, by the first word of its name. */
const DOING: Readonly<Record<string, string>> = {
  search: "Searching",
  find: "Finding",
  get: "Reading",
  read: "Reading",
  list: "Listing",
  count: "Counting",
  create: "Creating",
  update: "Updating",
  delete: "Deleting",
};

type StepChipProps = {
  call: ToolCall;
  turnId: Id;
  /** The turn is over, so nothing runs any more, whatever the log lacks. */
  isOver: boolean;
  /** The reader was led here a moment ago. */
  isMarked: boolean;
};

/** One tool call in one line, linked with its row in the panel: pointed at, both light up. */
export function StepChip({ call, turnId, isOver, isMarked }: StepChipProps) {
  const isHovered = useLink((link) => link.hovered === call.id);
  const { hover, focusPanel } = useLink.getState();
  return (
    <button
      type="button"
      data-item={call.id}
      data-hovered={isHovered ? "" : undefined}
      title="Show in the telemetry"
      onClick={() => focusPanel(turnId)}
      onPointerEnter={() => hover(call.id)}
      onPointerLeave={() => hover(null)}
      onFocus={() => hover(call.id)}
      onBlur={() => hover(null)}
      className={cn(
        "inline-flex min-h-7 max-w-full min-w-0 items-center gap-1.5 rounded-full border border-border bg-background px-2.5 py-0.5 text-left text-xs text-foreground transition-colors duration-150 touch:min-h-11 touch:px-3.5",
        call.end?.isError && "border-destructive",
        (isHovered || isMarked) && "border-span-tool bg-span-tool-soft",
      )}
    >
      {call.end === null && !isOver ? <Running name={call.toolName} /> : <Done call={call} />}
    </button>
  );
}

function Running({ name }: { name: string }) {
  const doing = DOING[name.split(/[_-]/)[0] ?? ""] ?? "Running";
  return (
    <>
      <LoaderCircle
        aria-hidden
        className="size-3.5 shrink-0 text-span-tool motion-safe:animate-spin"
      />
      <span className="min-w-0 wrap-anywhere">
        {doing}: <span className="font-mono">{name}</span>…
      </span>
    </>
  );
}

function Done({ call: { toolName, end } }: { call: ToolCall }) {
  return (
    <>
      <Database aria-hidden className="size-3.5 shrink-0 text-span-tool" />
      <span className="min-w-0 font-mono wrap-anywhere">{toolName}</span>{" "}
      {end !== null && (
        <span
          className={cn(
            "inline-flex shrink-0 items-center gap-1 tabular-nums",
            end.isError ? "text-destructive" : "text-muted-foreground",
          )}
        >
          {end.isError ? (
            <>
              <X aria-hidden className="size-3.5" />
              failed
            </>
          ) : (
            <>
              <Check aria-hidden className="size-3.5 text-success" />
              <span className="sr-only">done</span>
            </>
          )}{" "}
          {formatDuration(end.durationMs)}
        </span>
      )}
    </>
  );
}
