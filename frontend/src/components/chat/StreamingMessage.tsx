import { useId } from "react";
import { useStore } from "zustand";
import { preferences } from "@/app/preferences";
import { clockTime } from "@/lib/relative-time";
import type { AssistantMessage } from "@/session/messages";
import type { Id, Turn } from "@/session/state";
import { isAlive, type Segment, segmentsOf } from "./answer-segments";
import { AnswerText } from "./answer-text";
import { Bubble } from "./bubble";
import { Thinking } from "./thinking";
import { ToolSteps } from "./tool-steps";
import { TakeoverNote, TurnEnding } from "./turn-ending";
import { TurnFooter } from "./turn-footer";
import { TypingIndicator } from "./typing-indicator";
import { WaitingNotice } from "./waiting-notice";

type StreamingMessageProps = {
  message: AssistantMessage;
  clockSkewMs: number;
  /** Turns that are answered before this one. */
  turnsBefore: number;
  /** The reader was led here a moment ago, to this step if there is one. */
  marked: { readonly itemId: Id | null } | null;
  /** Null when it is too late for that. */
  onRetry: ((content: string) => void) | null;
};

/** The assistant's answer as it comes, its steps in the order they were taken, and how it ended. */
export function StreamingMessage({ message, marked, ...props }: StreamingMessageProps) {
  const { turn } = message;
  const headingId = useId();
  if (turn.status === "waiting") {
    const { clockSkewMs, turnsBefore } = props;
    return <WaitingNotice askedAt={turn.askedAt} {...{ clockSkewMs, turnsBefore }} />;
  }
  return (
    <article
      aria-labelledby={headingId}
      aria-busy={message.isStreaming}
      tabIndex={-1}
      className="group/message flex min-w-0 flex-col items-start gap-1 outline-none"
    >
      <h3 id={headingId} className="sr-only">
        Assistant{nameTime(turn, props.clockSkewMs)}
      </h3>
      <Answer turn={turn} isRunning={message.isStreaming} marked={marked} />
      <TurnEnding turn={turn} onRetry={props.onRetry} />
      <TurnFooter turn={turn} clockSkewMs={props.clockSkewMs} />
    </article>
  );
}

function nameTime(turn: Turn, clockSkewMs: number): string {
  const start = turn.items.find((item) => item.attempt === turn.attempt);
  return start === undefined ? "" : `, ${clockTime(start.at - clockSkewMs)}`;
}

type AnswerProps = Pick<StreamingMessageProps, "marked"> & { turn: Turn; isRunning: boolean };

/** The bubble; none when there is nothing to put into it. */
function Answer({ turn, isRunning, marked }: AnswerProps) {
  const showWhenFinished = useStore(preferences, (chosen) => chosen.showWhenFinished);
  const isHeldBack = isRunning && showWhenFinished;
  const segments = segmentsOf(turn).filter(({ kind }) => !isHeldBack || kind === "steps");
  const last = segments.at(-1);
  const isQuiet = isRunning && (last === undefined || !isAlive(last));
  const isStep = segments.some((segment) => hasStep(segment, marked?.itemId));
  if (segments.length === 0 && !isQuiet && turn.attempt < 2) return null;
  return (
    <Bubble
      isMarked={marked !== null && !isStep}
      className="flex flex-col gap-2.5 rounded-bl-sm bg-bubble-assistant text-bubble-assistant-foreground"
    >
      <TakeoverNote attempt={turn.attempt} />
      {segments.map((segment) => (
        <Part
          key={segment.id}
          segment={segment}
          turnId={turn.id}
          isRunning={isRunning}
          markedItem={marked?.itemId ?? null}
        />
      ))}
      {isQuiet && <TypingIndicator />}
    </Bubble>
  );
}

function hasStep(segment: Segment, id: Id | null | undefined): boolean {
  return segment.kind === "steps" && segment.calls.some((call) => call.id === id);
}

type PartProps = { segment: Segment; turnId: Id; isRunning: boolean; markedItem: Id | null };

function Part({ segment, turnId, isRunning, markedItem }: PartProps) {
  if (segment.kind === "text") return <AnswerText text={segment.text} isRunning={isRunning} />;
  if (segment.kind === "thinking") {
    return <Thinking texts={segment.texts} isGrowing={isRunning && isAlive(segment)} />;
  }
  return (
    <ToolSteps calls={segment.calls} turnId={turnId} isOver={!isRunning} markedItem={markedItem} />
  );
}
