import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import { useStore } from "zustand";
import { goToNewSession, goToSession } from "@/app/routes";
import { type ListedSession, sessionList } from "@/app/session-list";
import { DeleteDialog } from "@/components/shell/delete-dialog";
import { SessionRow } from "@/components/shell/session-row";
import { Button } from "@/components/ui/button";
import { Sheet, SheetContent } from "@/components/ui/sheet";
import type { Id } from "@/session/state";

type SessionListProps = {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  /** The session that the page shows; null when it shows none. */
  currentId: Id | null;
};

/** The drawer with the sessions of this browser: start, switch, rename, share, delete. */
export default function SessionList({ isOpen, onOpenChange, currentId }: SessionListProps) {
  const [renaming, setRenaming] = useState<Id | null>(null);
  const close = (): void => onOpenChange(false);
  return (
    <Sheet open={isOpen} onOpenChange={onOpenChange}>
      <SheetContent
        side="left"
        title="Sessions"
        description="The sessions that this browser has opened, the last used first."
        onEscapeKeyDown={(event) => {
          // The first Escape gives up the new name, the second closes the drawer.
          if (renaming === null) return;
          event.preventDefault();
          setRenaming(null);
        }}
      >
        <Sessions
          currentId={currentId}
          renaming={renaming}
          onRename={setRenaming}
          onClose={close}
        />
      </SheetContent>
    </Sheet>
  );
}

type SessionsProps = {
  currentId: Id | null;
  renaming: Id | null;
  onRename: (id: Id | null) => void;
  onClose: () => void;
};

function Sessions({ currentId, renaming, onRename, onClose }: SessionsProps) {
  const sessions = useStore(sessionList, (list) => list.sessions);
  const [deleting, setDeleting] = useState<ListedSession | null>(null);
  const newButton = useRef<HTMLButtonElement>(null);

  const open = (go: () => void): void => {
    onClose();
    go();
  };
  const finishDeletion = (id: Id): void => {
    setDeleting(null);
    if (id === currentId) open(goToNewSession);
    // The row that had the focus is gone with its session.
    else setTimeout(() => newButton.current?.focus());
  };

  return (
    <>
      <div className="border-b p-3">
        <Button ref={newButton} className="w-full" onClick={() => open(goToNewSession)}>
          <Plus aria-hidden /> New session
        </Button>
      </div>
      <ul aria-label="Sessions" className="min-h-0 flex-1 space-y-1 overflow-y-auto p-2">
        {sessions.map((session) => (
          <li key={session.id}>
            <SessionRow
              session={session}
              isCurrent={session.id === currentId}
              isRenaming={session.id === renaming}
              onOpen={() => open(() => goToSession(session.id))}
              onRename={(isRenaming) => onRename(isRenaming ? session.id : null)}
              onDelete={() => setDeleting(session)}
            />
          </li>
        ))}
      </ul>
      <p className="border-t p-3 text-xs text-muted-foreground">
        This list and its names are kept in this browser only. Whoever has a session's link can open
        it.
      </p>
      {deleting !== null && (
        <DeleteDialog
          session={deleting}
          onClose={() => setDeleting(null)}
          onDeleted={() => finishDeletion(deleting.id)}
        />
      )}
    </>
  );
}
