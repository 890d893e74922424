import { FIXED_SHORTCUTS, SHORTCUTS } from "@/app/shortcuts";
import { Settings } from "@/components/shell/settings";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";

type HelpDialogProps = { isOpen: boolean; onOpenChange: (isOpen: boolean) => void };

/** The keyboard shortcuts, and what the user can choose. */
export default function HelpDialog({ isOpen, onOpenChange }: HelpDialogProps) {
  return (
    <Dialog open={isOpen} onOpenChange={onOpenChange}>
      <DialogContent
        title="Help and settings"
        description="Shortcuts of the keyboard, and how this browser shows the page."
      >
        <section aria-labelledby="help-shortcuts">
          <h3 id="help-shortcuts" className="mb-2 text-sm font-semibold">
            Keyboard shortcuts
          </h3>
          <ul className="divide-y rounded-md border text-sm">
            {SHORTCUTS.map(({ name, key, does }) => (
              <ShortcutRow key={name} keys={[key]} does={does} />
            ))}
            {FIXED_SHORTCUTS.map(({ keys, does }) => (
              <ShortcutRow key={does} keys={keys} does={does} />
            ))}
          </ul>
        </section>
        <Settings />
      </DialogContent>
    </Dialog>
  );
}

function ShortcutRow({ keys, does }: { keys: readonly string[]; does: string }) {
  return (
    <li className="flex items-center justify-between gap-4 px-3 py-2">
      <span className="min-w-0">{does}</span>
      <span className="flex shrink-0 gap-1">
        {keys.map((key) => (
          <Kbd key={key}>{key}</Kbd>
        ))}
      </span>
    </li>
  );
}
