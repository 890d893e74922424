import { useEffect } from "react";
import { useLink } from "@/app/link";
import { goToNewSession } from "@/app/routes";
import { touchSession } from "@/app/session-list";
import { ChatContainer } from "@/components/chat/ChatContainer";
import { AppHeader } from "@/components/shell/app-header";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import { TelemetrySide } from "@/components/shell/telemetry-side";
import { useAnnouncer } from "@/hooks/use-announcer";
import { useDocumentTitle } from "@/hooks/use-document-title";
import { usePanelPlace } from "@/hooks/use-panel-place";
import { useSettledSession } from "@/hooks/use-settled-session";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { useWebSocket } from "@/hooks/use-web-socket";
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
  const shown = useSettledSession(session);
  const panel = usePanelPlace();
  useAnnouncer(session);
  useDocumentTitle(session);
  useShortcuts({
    composer: focusComposer,
    help: onShowHelp,
    "new-session": goToNewSession,
    sessions: onShowSessions,
    telemetry: panel.toggle,
  });
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
            <ChatContainer session={shown} sessionId={sessionId} />
          </ErrorBoundary>
        </main>
        <TelemetrySide session={shown} place={panel} />
      </div>
    </div>
  );
}

function focusComposer(): void {
  document.getElementById("composer-input")?.focus();
}
