import { Ellipsis } from "lucide-react";
import { copyLink } from "@/components/shell/copy-link";
import { ThemeItems } from "@/components/shell/theme-menu";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import type { Id } from "@/session/state";

/** In a narrow window: what the header has no room for. */
export function MoreMenu({ sessionId, onShowHelp }: { sessionId: Id; onShowHelp: () => void }) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="More" className="sm:hidden">
          <Ellipsis aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="sm:hidden">
        <DropdownMenuLabel>Session {sessionId.slice(0, 8)}</DropdownMenuLabel>
        <DropdownMenuItem onSelect={() => void copyLink(sessionId)}>
          Copy link to this session
        </DropdownMenuItem>
        <DropdownMenuItem onSelect={onShowHelp}>Help and settings</DropdownMenuItem>
        <DropdownMenuSeparator />
        <DropdownMenuLabel>Theme</DropdownMenuLabel>
        <ThemeItems />
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
