import { type KeyboardEvent, useMemo } from "react";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import type { Message } from "@/session/messages";
import { Composer, focusComposer } from "./composer";
import { EmptyState } from "./empty-state";
import { ErrorBanner } from "./error-banner";
import { LogSkeleton } from "./log-skeleton";
import { MessageList } from "./message-list";
import { stoppableOf } from "./turn-queue";

type ChatContainerProps = { session: WebSocketSession; sessionId: string };

/** The conversation of one session: what was said, how it is going, and where to say more. */
export function ChatContainer({ session, sessionId }: ChatContainerProps) {
  const { messages, turns, sendMessage, retryMessage, dropMessage, stop } = session;
  const stoppable = stoppableOf(turns);
  // What waits to be sent is seen also while the log cannot be read.
  const shown = session.isLoaded ? messages : messages.filter(isPending);
  const actions = useMemo(
    () => ({ sendMessage, retryMessage, dropMessage }),
    [sendMessage, retryMessage, dropMessage],
  );

  function ask(question: string): void {
    sendMessage(question);
    // The button that had the focus goes away with the first message.
    focusComposer();
  }

  function pressKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
    // An open tooltip, menu or dialog takes the key for itself.
    if (event.defaultPrevented || document.querySelector("[role=dialog], [role=alertdialog]"))
      return;
    if (stoppable !== null) stop(stoppable);
  }

  return (
    <section
      aria-labelledby="conversation-heading"
      onKeyDown={pressKey}
      className="flex h-full min-h-0 min-w-0 flex-1 flex-col bg-background"
    >
      <h2 id="conversation-heading" className="sr-only">
        Conversation
      </h2>
      {session.error !== null && (
        <ErrorBanner error={session.error} onDismiss={session.dismissError} />
      )}
      {!session.isLoaded && <LogSkeleton />}
      {session.isLoaded && messages.length === 0 && <EmptyState onAsk={ask} />}
      {shown.length > 0 && (
        <MessageList
          key={`${sessionId} ${session.isLoaded}`}
          messages={shown}
          turns={turns}
          isTruncated={session.isTruncated}
          clockSkewMs={session.clockSkewMs}
          actions={actions}
        />
      )}
      <Composer
        sessionId={sessionId}
        isConnected={session.isConnected}
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
