import { useEffect } from "react";
import { useStickToBottom } from "use-stick-to-bottom";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { useMediaQuery } from "@/hooks/use-media-query";
import type { Message } from "@/session/messages";
import type { Turn } from "@/session/state";
import { JumpToLatest } from "./jump-to-latest";
import { type MessageActions, MessageItem } from "./message-item";
import { turnsBeforeOf } from "./turn-queue";
import { useChatPlace } from "./use-chat-place";
import { useMessageWindow } from "./use-message-window";

type MessageListProps = {
  messages: readonly Message[];
  turns: readonly Turn[];
  isTruncated: boolean;
  clockSkewMs: number;
  actions: MessageActions;
};

/**
 * The conversation, kept at its end until the reader scrolls up. Screen readers hear of it from the
 * announcer alone: a log that speaks would speak every token.
 */
export function MessageList({ messages, turns, actions, clockSkewMs, ...props }: MessageListProps) {
  const isReduced = useMediaQuery("(prefers-reduced-motion: reduce)");
  const scroll = useStickToBottom({
    initial: "instant",
    resize: isReduced ? "instant" : "smooth",
  });
  const log = scroll.scrollRef;
  const view = useMessageWindow(messages, log);
  const marked = useChatPlace(log, (turnId) => {
    scroll.stopScroll();
    view.reveal(turnId);
  });
  const turnsBefore = turnsBeforeOf(turns);
  const lastTurn = messages.at(-1)?.turnId;

  function jumpToLatest(): void {
    view.showLatest();
    scroll.scrollToBottom(isReduced ? "instant" : undefined);
  }

  useOwnMessage(messages, jumpToLatest);

  /** The question stands in for an answer that has not begun. */
  function markOf({ role, turnId }: Message): typeof marked {
    const isPlace = marked?.turnId === turnId && (role === "assistant" || turnsBefore.has(turnId));
    return isPlace ? marked : null;
  }

  return (
    <div className="relative flex min-h-0 min-w-0 flex-1 flex-col">
      {/* `overflow-auto`, not `-y-auto`: the scrolling library looks for that word. */}
      <div
        ref={log}
        role="log"
        aria-live="off"
        aria-label="Messages"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="flex min-h-0 min-w-0 flex-1 flex-col overflow-auto overscroll-contain"
      >
        <div
          ref={scroll.contentRef}
          className="mx-auto flex w-full max-w-[800px] min-w-0 shrink-0 grow flex-col gap-5 px-4 py-5"
        >
          {props.isTruncated && !view.hasEarlier && <Truncated />}
          {view.hasEarlier && (
            <LoadButton onLoad={view.showEarlier}>Load earlier messages</LoadButton>
          )}
          <ul className="flex min-w-0 flex-col gap-5">
            {view.shown.map((message) => (
              <MessageItem
                key={message.id}
                message={message}
                clockSkewMs={clockSkewMs}
                turnsBefore={turnsBefore.get(message.turnId) ?? 0}
                marked={markOf(message)}
                isLast={message.turnId === lastTurn}
                actions={actions}
              />
            ))}
          </ul>
          {view.hasLater && <LoadButton onLoad={view.showLater}>Load later messages</LoadButton>}
        </div>
      </div>
      {(view.hasLater || !scroll.isAtBottom) && <JumpToLatest log={log} onJump={jumpToLatest} />}
    </div>
  );
}

type LoadButtonProps = { onLoad: () => void; children: string };

/** It may have no more to load, and then goes away; the focus is the log's in any case. */
function LoadButton({ onLoad, children }: LoadButtonProps) {
  const button = useFocusHeir<HTMLButtonElement>();
  return (
    <Button ref={button} variant="outline" size="sm" className="self-center" onClick={onLoad}>
      {children}
    </Button>
  );
}

function Truncated() {
  return (
    <p className="self-center text-center text-xs text-muted-foreground">
      The beginning of this conversation is no longer in the log.
    </p>
  );
}

/** Calls `show` when this tab has sent a message: whoever sends wants to see it. */
function useOwnMessage(messages: readonly Message[], show: () => void): void {
  const last = messages.at(-1);
  const sentId = last?.role === "user" && last.pending !== null ? last.id : null;
  useEffect(() => {
    if (sentId !== null) show();
  }, [sentId]);
}
