import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { useStore } from "zustand";
import { place } from "@/app/routes";
import { Announcer } from "@/components/shell/announcer";
import { ErrorBoundary } from "@/components/shell/error-boundary";
import { NotASession } from "@/components/shell/not-a-session";
import { SessionPage } from "@/components/shell/session-page";
import { Toaster } from "@/components/ui/toast";
import { useTheme } from "@/hooks/use-theme";

const importSessionList = () => import("@/components/shell/session-list");
const importHelpDialog = () => import("@/components/shell/help-dialog");
const importPlainText = () => import("@/components/shell/plain-text");
const SessionList = lazy(importSessionList);
const HelpDialog = lazy(importHelpDialog);

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
  useEffect(fetchTheRest, []);

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
      <ErrorBoundary
        what="This part"
        className="fixed inset-x-4 bottom-4 z-50 rounded-lg border bg-popover shadow-lg"
      >
        <Suspense>
          {layer === "sessions" && (
            <SessionList isOpen onOpenChange={closeOn} currentId={sessionId} />
          )}
          {layer === "help" && <HelpDialog isOpen onOpenChange={closeOn} />}
        </Suspense>
      </ErrorBoundary>
      <Announcer />
      <Toaster />
    </>
  );
}

/** Fetches what the first view does not need after it is shown, so that it is there offline too. */
function fetchTheRest(): void {
  for (const fetchPart of [importSessionList, importHelpDialog, importPlainText]) {
    // Asked for again, and told of, when it is wanted.
    fetchPart().catch(() => undefined);
  }
}
