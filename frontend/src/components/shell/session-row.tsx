import { Copy, Ellipsis, Pencil, Trash2 } from "lucide-react";
import { type MouseEvent, useEffect, useRef } from "react";
import { pathOf } from "@/app/routes";
import { type ListedSession, renameSession, titleOf } from "@/app/session-list";
import { copyLink } from "@/components/shell/copy-link";
import { RenameForm } from "@/components/shell/rename-form";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { cn } from "@/lib/cn";

type SessionRowProps = {
  session: ListedSession;
  isCurrent: boolean;
  isRenaming: boolean;
  onOpen: () => void;
  onRename: (isRenaming: boolean) => void;
  onDelete: () => void;
};

/** A session in the list: a link to it, and what can be done with it. */
export function SessionRow(props: SessionRowProps) {
  const { session, isCurrent, isRenaming, onOpen, onRename } = props;
  const menuButton = useRef<HTMLButtonElement>(null);
  useReturnAfter(isRenaming, menuButton);
  if (isRenaming) {
    return (
      <RenameForm
        name={session.name ?? ""}
        onCancel={() => onRename(false)}
        onSave={(name) => {
          renameSession(session.id, name);
          onRename(false);
        }}
      />
    );
  }
  return (
    <div
      className={cn("flex items-center rounded-md pr-1 hover:bg-accent", isCurrent && "bg-accent")}
    >
      <a
        href={pathOf(session.id)}
        aria-current={isCurrent ? "page" : undefined}
        onClick={(event) => openHere(event, onOpen)}
        className="min-w-0 flex-1 rounded-md px-3 py-2"
      >
        <span className={cn("line-clamp-2 text-sm wrap-anywhere", isCurrent && "font-semibold")}>
          {titleOf(session)}
        </span>
        <span className="block truncate text-xs text-muted-foreground">
          {session.name === null ? "" : `${session.id.slice(0, 8)} · `}
          used {timeOf(session.lastUsedAt)}
        </span>
      </a>
      <RowMenu {...props} menuButton={menuButton} />
    </div>
  );
}

function RowMenu({
  session,
  menuButton,
  onRename,
  onDelete,
}: SessionRowProps & { menuButton: React.RefObject<HTMLButtonElement | null> }) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button
          ref={menuButton}
          variant="ghost"
          size="icon"
          aria-label={`Actions for ${titleOf(session)}`}
        >
          <Ellipsis aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        <DropdownMenuItem onSelect={() => onRename(true)}>
          <Pencil aria-hidden /> Rename
        </DropdownMenuItem>
        <DropdownMenuItem onSelect={() => void copyLink(session.id)}>
          <Copy aria-hidden /> Copy link
        </DropdownMenuItem>
        <DropdownMenuItem destructive onSelect={onDelete}>
          <Trash2 aria-hidden /> Delete
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

/** Gives the focus back to the button when renaming, which took its place, is over. */
function useReturnAfter(
  isRenaming: boolean,
  button: React.RefObject<HTMLButtonElement | null>,
): void {
  const wasRenaming = useRef(false);
  useEffect(() => {
    if (wasRenaming.current && !isRenaming) button.current?.focus();
    wasRenaming.current = isRenaming;
  }, [isRenaming, button]);
}

/** A click with a modifier is the browser's: it opens another tab. */
function openHere(event: MouseEvent, open: () => void): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open();
}

function timeOf(time: number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
