import { useCallback, useEffect } from "react";
import { useLink } from "@/app/link";
import { fetchTheRestWhenIdle } from "@/app/parts";
import { goToNewSession } from "@/app/routes";
import { touchSession } from "@/app/session-list";
import { ChatContainer } from "@/components/chat/ChatContainer";
import { stoppableOf } from "@/components/chat/turn-queue";
import { AppHeader } from "@/components/shell/app-header";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import { TelemetrySide } from "@/components/shell/telemetry-side";
import { isAnyRunning } from "@/hooks/live-turns";
import { useAnnouncer } from "@/hooks/use-announcer";
import { useDocumentTitle } from "@/hooks/use-document-title";
import { useEmptiedNote } from "@/hooks/use-emptied-note";
import { useHappenings } from "@/hooks/use-happenings";
import { usePanelPlace } from "@/hooks/use-panel-place";
import { useSettledSession } from "@/hooks/use-settled-session";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { useWebSocket, type WebSocketSession } from "@/hooks/use-web-socket";
import type { Id } from "@/session/state";

type SessionPageProps = {
  /** Mount another page for another session: nothing of the one before may be left. */
  sessionId: Id;
  onShowSessions: () => void;
  onShowHelp: () => void;
};

/** One session on the screen: the bar, the conversation, and beside it what the agent does. */
export function SessionPage({ sessionId, onShowSessions, onShowHelp }: SessionPageProps) {
  const session = useWebSocket(sessionId);
  const { turns, isLoaded, stop } = session;
  const shown = useSettledSession(useListedWhenUsed(session, sessionId));
  const panel = usePanelPlace();
  const announce = useAnnouncer(session.connection);
  const count = useDocumentTitle(isLoaded && isAnyRunning(turns));
  useHappenings(session, (happening) => {
    announce(happening);
    count(happening);
  });
  useEmptiedNote(sessionId, session);
  useShortcuts(
    {
      composer: focusComposer,
      help: onShowHelp,
      "new-session": goToNewSession,
      sessions: onShowSessions,
      telemetry: panel.toggle,
    },
    () => {
      const stoppable = stoppableOf(turns);
      if (stoppable !== null) stop(stoppable);
    },
  );
  // What the reader waits for comes first.
  useEffect(() => (isLoaded ? fetchTheRestWhenIdle() : undefined), [isLoaded]);
  useEffect(() => {
    touchSession(sessionId, Date.now());
    useLink.setState({ panelTurn: null, hovered: null });
  }, [sessionId]);

  return (
    <div className="flex h-dvh flex-col overflow-hidden">
      <a
        href="#composer-input"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-primary px-4 py-2 text-sm font-medium text-primary-foreground focus:translate-y-0"
      >
        Skip to the message field
      </a>
      <AppHeader
        sessionId={sessionId}
        connection={session.connection}
        onRetry={session.retryNow}
        panel={panel}
        onShowSessions={onShowSessions}
        onShowHelp={onShowHelp}
      />
      <div className="mx-auto flex min-h-0 w-full max-w-[1400px] flex-1 min-[1400px]:border-x">
        <main className="flex min-h-0 min-w-0 flex-1 flex-col">
          <ErrorBoundary what="The conversation" className="h-full">
            <ChatContainer session={shown} sessionId={sessionId} onShowSessions={onShowSessions} />
          </ErrorBoundary>
        </main>
        <TelemetrySide session={shown} place={panel} />
      </div>
    </div>
  );
}

/** The session, which goes to the top of the list, or back into it, when something is said in it. */
function useListedWhenUsed(session: WebSocketSession, sessionId: Id): WebSocketSession {
  const { sendMessage } = session;
  const send = useCallback(
    (content: string) => {
      touchSession(sessionId, Date.now());
      return sendMessage(content);
    },
    [sessionId, sendMessage],
  );
  return { ...session, sendMessage: send };
}

function focusComposer(): void {
  document.getElementById("composer-input")?.focus();
}
