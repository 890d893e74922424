import { useMemo } from "react";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import type { Message } from "@/session/messages";
import { accessReasonOf } from "@/session/state";
import { AccessNotice } from "./access-notice";
import { Composer, focusComposer } from "./composer";
import { EmptyState } from "./empty-state";
import { ErrorBanner } from "./error-banner";
import { LogSkeleton } from "./log-skeleton";
import { MessageList } from "./message-list";
import { stoppableOf } from "./turn-queue";

type ChatContainerProps = {
  session: WebSocketSession;
  sessionId: string;
  onShowSessions: () => void;
};

/** The conversation of one session: what was said, how it is going, and where to say more. */
export function ChatContainer({ session, sessionId, onShowSessions }: ChatContainerProps) {
  const { messages, turns, sendMessage, retryMessage, dropMessage, stop } = session;
  const stoppable = stoppableOf(turns);
  // What waits to be sent is seen also while the log cannot be read.
  const shown = session.isLoaded ? messages : messages.filter(isPending);
  const accessReason = accessReasonOf(session.connection);
  const actions = useMemo(
    () => ({ sendMessage, retryMessage, dropMessage }),
    [sendMessage, retryMessage, dropMessage],
  );

  function ask(question: string): void {
    sendMessage(question);
    // The button that had the focus goes away with the first message.
    focusComposer();
  }

  return (
    <section
      aria-labelledby="conversation-heading"
      className="flex h-full min-h-0 min-w-0 flex-1 flex-col bg-background"
    >
      <h2 id="conversation-heading" className="sr-only">
        Conversation
      </h2>
      {session.error !== null && (
        <ErrorBanner error={session.error} onDismiss={session.dismissError} />
      )}
      {accessReason !== null && (
        <AccessNotice
          reason={accessReason}
          isTrying={session.connection.state !== "disconnected"}
          isAlone={!session.isLoaded && shown.length === 0}
          onRetry={session.retryNow}
          onShowSessions={onShowSessions}
        />
      )}
      {!session.isLoaded && accessReason === null && <LogSkeleton />}
      {session.isLoaded && messages.length === 0 && <EmptyState onAsk={ask} />}
      {shown.length > 0 && (
        // Whatever it cannot show, one can still write.
        <ErrorBoundary
          key={`${sessionId} ${session.isLoaded}`}
          what="The conversation"
          className="flex-1"
        >
          <MessageList
            messages={shown}
            turns={turns}
            isTruncated={session.isTruncated}
            clockSkewMs={session.clockSkewMs}
            actions={actions}
          />
        </ErrorBoundary>
      )}
      <Composer
        sessionId={sessionId}
        connectionState={session.connection.state}
        connectionReason={session.connection.reason}
        stoppable={stoppable}
        lastMessage={lastMessageOf(messages)}
        sendMessage={sendMessage}
        stop={stop}
      />
    </section>
  );
}

function isPending(message: Message): boolean {
  return message.role === "user" && message.pending !== null;
}

function lastMessageOf(messages: readonly Message[]): string | null {
  const last = messages.findLast((message) => message.role === "user" && message.content !== null);
  return last?.role === "user" ? last.content : null;
}
