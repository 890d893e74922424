import { useId } from "react";
import { clockTime } from "@/lib/relative-time";
import type { UserMessage } from "@/session/messages";
import { Bubble } from "./bubble";
import { type PendingActions, PendingNote } from "./pending-note";
import { TimeAgo } from "./time-ago";

type UserBubbleProps = PendingActions & {
  message: UserMessage;
  clockSkewMs: number;
  /** The reader was led here a moment ago. */
  isMarked: boolean;
};

/** What a user said, as it was typed, and where it is while the log does not have it. */
export function UserBubble({ message, clockSkewMs, isMarked, ...actions }: UserBubbleProps) {
  const headingId = useId();
  // A message of this tab that has no echo is dated by this tab's own clock.
  const skew = message.pending === null ? clockSkewMs : 0;
  return (
    <article
      aria-labelledby={headingId}
      tabIndex={-1}
      className="group/message flex min-w-0 flex-col items-end gap-1 outline-none"
    >
      <h3 id={headingId} className="sr-only">
        You{message.at !== null && `, ${clockTime(message.at - skew)}`}
      </h3>
      {message.content === null ? (
        <p className="max-w-[90%] rounded-xl border border-dashed border-input px-4 py-2.5 text-sm text-muted-foreground italic md:max-w-[70%]">
          This message is no longer in the log.
        </p>
      ) : (
        <Bubble
          isMarked={isMarked}
          dir="auto"
          className="rounded-br-sm bg-bubble-user leading-relaxed wrap-anywhere whitespace-pre-wrap text-bubble-user-foreground"
        >
          {message.content}
        </Bubble>
      )}
      {message.pending !== null && <PendingNote pending={message.pending} {...actions} />}
      {message.pending === null && message.at !== null && (
        <TimeAgo at={message.at} clockSkewMs={clockSkewMs} />
      )}
    </article>
  );
}
