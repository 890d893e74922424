import { Filter, X } from "lucide-react";
import { useLink } from "@/app/link";
import { Button } from "@/components/ui/button";

/** Says that the chat has narrowed the panel to one turn, and undoes it. */
export function OneTurnNote() {
  const focusPanel = useLink((link) => link.focusPanel);
  return (
    <div className="flex flex-wrap items-center gap-2 rounded-md bg-span-tool-soft py-0.5 pr-1 pl-2 text-xs text-span-tool">
      <Filter aria-hidden className="size-3.5 shrink-0" />
      <span className="font-medium">Showing one turn</span>
      <Button
        variant="ghost"
        size="sm"
        className="ml-auto h-6 px-2"
        onClick={() => focusPanel(null)}
      >
        <X aria-hidden />
        Show all
      </Button>
    </div>
  );
}
