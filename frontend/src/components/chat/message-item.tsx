import { memo } from "react";
import type { Message } from "@/session/messages";
import type { Id } from "@/session/state";
import type { PendingActions } from "./pending-note";
import { StreamingMessage } from "./StreamingMessage";
import { UserBubble } from "./user-bubble";

export type MessageActions = PendingActions & { sendMessage: (content: string) => Id };

type MessageItemProps = {
  message: Message;
  clockSkewMs: number;
  /** Turns that are answered before this message's; counted only while it waits. */
  turnsBefore: number;
  marked: { readonly itemId: Id | null } | null;
  /** Nothing was said after this message's turn. */
  isLast: boolean;
  actions: MessageActions;
};

/** One message of the log, rendered again only when it is another object. */
export const MessageItem = memo(function MessageItem({
  message,
  clockSkewMs,
  turnsBefore,
  marked,
  isLast,
  actions,
}: MessageItemProps) {
  return (
    <li data-message={message.id} className="min-w-0 empty:hidden">
      {message.role === "user" ? (
        <UserBubble
          message={message}
          clockSkewMs={clockSkewMs}
          isMarked={marked !== null}
          retryMessage={actions.retryMessage}
          dropMessage={actions.dropMessage}
        />
      ) : (
        <StreamingMessage
          message={message}
          clockSkewMs={clockSkewMs}
          turnsBefore={turnsBefore}
          marked={marked}
          onRetry={isLast ? actions.sendMessage : null}
        />
      )}
    </li>
  );
});
