import { ChevronRight, Wrench } from "lucide-react";
import { useId, useState } from "react";
import { useLink } from "@/app/link";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { cn } from "@/lib/cn";
import { counted } from "@/lib/turn-summary";
import type { Id, ToolCall } from "@/session/state";
import { StepChip } from "./step-chip";
import { useStepWindow } from "./use-step-window";

/** More than these in a row would hide the answer; the newest are what is going on. */
const MOST_RUNNING = 6;

type ToolStepsProps = {
  calls: readonly ToolCall[];
  turnId: Id;
  isOver: boolean;
  /** The step that the reader was led to a moment ago. */
  markedItem: Id | null;
};

/**
 * Tool calls that follow each other: seen while the turn runs, one line when it is over. What the
 * reader has opened or closed stays so. However many there are, a hundred are on the page at most.
 */
export function ToolSteps({ calls, turnId, isOver, markedItem }: ToolStepsProps) {
  const listId = useId();
  const [choice, setChoice] = useState<boolean | null>(null);
  const hasMarked = calls.some((call) => call.id === markedItem);
  // Whoever is led to a step must find it open, and after the mark has faded, too.
  if (hasMarked && choice !== true) setChoice(true);
  const hasHovered = useLink((link) => calls.some((call) => call.id === link.hovered));
  const isFoldable = isOver || calls.length > MOST_RUNNING;
  const isOpen = choice ?? !isOver;
  const view = useStepWindow(calls, isOver, markedItem);
  const isNewest = choice === null && !isOver;
  const shown = isNewest ? calls.slice(-MOST_RUNNING) : view.shown;
  return (
    <div className="flex min-w-0 flex-col items-start gap-1.5">
      {isFoldable && (
        <button
          type="button"
          aria-expanded={choice ?? false}
          aria-controls={isOpen ? listId : undefined}
          onClick={() => setChoice(!(choice ?? false))}
          className={cn(
            "-mx-1.5 inline-flex min-h-6 items-center gap-1.5 rounded-md px-1.5 text-xs font-medium text-muted-foreground transition-colors duration-150 hover:text-foreground touch:-my-2 touch:min-h-11",
            hasHovered && !isOpen && "bg-span-tool-soft text-span-tool",
          )}
        >
          <Wrench aria-hidden className="size-3.5" />
          {usedTools(calls, isOver)}
          <ChevronRight
            aria-hidden
            className={cn("size-3.5 transition-transform", choice === true && "rotate-90")}
          />
        </button>
      )}
      {isOpen && !isNewest && view.hasEarlier && (
        <MoreButton onShow={view.showEarlier}>Show earlier tools</MoreButton>
      )}
      {isOpen && (
        <ul id={listId} className="flex min-w-0 flex-wrap gap-1.5">
          {shown.map((call) => (
            <li key={call.id} className="flex max-w-full min-w-0">
              <StepChip
                call={call}
                turnId={turnId}
                isOver={isOver}
                isMarked={call.id === markedItem}
              />
            </li>
          ))}
        </ul>
      )}
      {isOpen && !isNewest && view.hasLater && (
        <MoreButton onShow={view.showLater}>Show later tools</MoreButton>
      )}
    </div>
  );
}

function MoreButton({ onShow, children }: { onShow: () => void; children: string }) {
  // With nothing more to show it goes away.
  const button = useFocusHeir<HTMLButtonElement>();
  return (
    <Button ref={button} variant="outline" size="sm" onClick={onShow}>
      {children}
    </Button>
  );
}

function usedTools(calls: readonly ToolCall[], isOver: boolean): string {
  const failed = calls.filter((call) => call.end?.isError).length;
  const areOver = isOver || calls.every((call) => call.end !== null);
  const used = `${areOver ? "Used" : "Using"} ${counted(calls.length, "tool")}`;
  return failed === 0 ? used : `${used}, ${failed} failed`;
}
