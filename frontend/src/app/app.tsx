import { useCallback, useState } from "react";
import { useStore } from "zustand";
import { fetchHelpDialog, fetchSessionList } from "@/app/parts";
import { place } from "@/app/routes";
import { Announcer } from "@/components/shell/announcer";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import { NotASession } from "@/components/shell/not-a-session";
import { SessionPage } from "@/components/shell/session-page";
import { latePart } from "@/components/ui/late-part";
import { Toaster } from "@/components/ui/toast";
import { useTheme } from "@/hooks/use-theme";

const ABOVE = "fixed inset-x-4 bottom-4 z-50 rounded-lg border bg-popover shadow-lg";
const SessionList = latePart({
  what: "The list of sessions",
  fetch: fetchSessionList,
  className: `${ABOVE} p-4`,
});
const HelpDialog = latePart({
  what: "The help",
  fetch: fetchHelpDialog,
  className: `${ABOVE} p-4`,
});

type Layer = "sessions" | "help";

/** The page: the session that the address names, and what opens above it. */
export function App() {
  const current = useStore(place, (where) => where.current);
  const [layer, setLayer] = useState<Layer | null>(null);
  const showSessions = useCallback(() => setLayer("sessions"), []);
  const showHelp = useCallback(() => setLayer("help"), []);
  const closeOn = (isOpen: boolean): void => {
    if (!isOpen) setLayer(null);
  };
  const sessionId = current.kind === "session" ? current.sessionId : null;
  useTheme();

  return (
    <>
      {sessionId === null ? (
        <NotASession />
      ) : (
        <SessionPage
          key={sessionId}
          sessionId={sessionId}
          onShowSessions={showSessions}
          onShowHelp={showHelp}
        />
      )}
      <ErrorBoundary key={layer} what="This part" className={ABOVE}>
        {layer === "sessions" && (
          <SessionList isOpen onOpenChange={closeOn} currentId={sessionId} />
        )}
        {layer === "help" && <HelpDialog isOpen onOpenChange={closeOn} />}
      </ErrorBoundary>
      <Announcer />
      <Toaster />
    </>
  );
}
