import { Activity, CircleHelp, Menu, Plus } from "lucide-react";
import { memo } from "react";
import { goToNewSession, linkTo } from "@/app/routes";
import { ConnectionStatus } from "@/components/shell/ConnectionStatus";
import { ThemeButton } from "@/components/shell/theme-button";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Tooltip } from "@/components/ui/tooltip";
import type { PanelPlace } from "@/hooks/use-panel-place";
import type { ConnectionView, Id } from "@/session/state";

type AppHeaderProps = {
  sessionId: Id;
  connection: ConnectionView;
  onRetry: () => void;
  panel: PanelPlace;
  onShowSessions: () => void;
  onShowHelp: () => void;
};

/** The bar at the top. Not drawn again while a reply streams. */
export const AppHeader = memo(function AppHeader({
  sessionId,
  connection,
  onRetry,
  panel,
  onShowSessions,
  onShowHelp,
}: AppHeaderProps) {
  return (
    <header className="shrink-0 border-b bg-background">
      {/* The empty item before the others keeps the first row's height when trouble adds a second. */}
      <div className="mx-auto flex max-w-[1400px] flex-wrap items-center gap-x-1 px-2 before:h-14 sm:gap-x-2 md:px-4 md:before:h-16">
        <Button variant="ghost" size="icon" aria-label="Sessions" onClick={onShowSessions}>
          <Menu aria-hidden />
        </Button>
        <h1 className="text-lg font-semibold tracking-tight">Fanline</h1>
        <SessionLink sessionId={sessionId} />
        <ConnectionStatus sessionId={sessionId} connection={connection} onRetry={onRetry} />
        <div className="ml-auto flex items-center sm:gap-1">
          <NewSessionButton />
          <PanelToggle panel={panel} />
          {/* In a narrow window the choice of colours is among the settings only. */}
          <div className="contents max-sm:hidden">
            <ThemeButton />
          </div>
          <Button variant="ghost" size="icon" aria-label="Help and settings" onClick={onShowHelp}>
            <CircleHelp aria-hidden />
          </Button>
        </div>
      </div>
    </header>
  );
});

function SessionLink({ sessionId }: { sessionId: Id }) {
  return (
    <div className="flex items-center max-md:hidden">
      <span className="rounded-md bg-muted px-1.5 py-0.5 font-mono text-xs text-muted-foreground">
        <span className="sr-only">Session </span>
        {sessionId.slice(0, 8)}
      </span>
      <CopyButton label="Copy link to this session" text={() => linkTo(sessionId)} />
    </div>
  );
}

function NewSessionButton() {
  return (
    <Tooltip content="New session">
      <Button
        variant="ghost"
        aria-label="New session"
        onClick={goToNewSession}
        className="max-lg:size-9 max-lg:px-0"
      >
        <Plus aria-hidden />
        <span className="max-lg:hidden">New session</span>
      </Button>
    </Tooltip>
  );
}

function PanelToggle({ panel }: { panel: PanelPlace }) {
  return (
    <Tooltip content={panel.isOpen ? "Hide telemetry" : "Show telemetry"}>
      <Button
        variant="ghost"
        aria-label="Telemetry"
        aria-expanded={panel.isOpen}
        aria-controls={panel.isAside ? panel.id : undefined}
        aria-haspopup={panel.isAside ? undefined : "dialog"}
        onClick={panel.toggle}
        className="aria-expanded:bg-accent max-lg:size-9 max-lg:px-0"
      >
        <Activity aria-hidden />
        <span className="max-lg:hidden">Telemetry</span>
      </Button>
    </Tooltip>
  );
}
