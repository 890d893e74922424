import { Filter, X } from "lucide-react";
import { useLink } from "@/app/link";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";

/** Says that the chat has narrowed the panel to one turn, and undoes it. */
export function OneTurnNote() {
  const focusPanel = useLink((link) => link.focusPanel);
  const button = useFocusHeir(rowsBeside);
  return (
    <div className="flex flex-wrap items-center gap-2 rounded-md bg-span-tool-soft py-0.5 pr-1 pl-2 text-xs text-span-tool">
      <Filter aria-hidden className="size-3.5 shrink-0" />
      <span className="font-medium">Showing one turn</span>
      <Button
        ref={button}
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

/** What scrolls the rows of the view that is shown. */
function rowsBeside(button: HTMLButtonElement): HTMLElement | null {
  const panel = button.closest("[data-slot=telemetry-panel]");
  return panel?.querySelector<HTMLElement>("[role=tabpanel]:not([hidden]) [tabindex='0']") ?? null;
}
