import type { ReactNode } from "react";
import { useStore } from "zustand";
import {
  ANNOUNCE_REPLIES,
  type AnnounceReplies,
  preferences,
  setPreference,
} from "@/app/preferences";

const ANNOUNCE_NAMES: Readonly<Record<AnnounceReplies, string>> = {
  full: "The whole reply",
  finish: "Only that it has finished",
  off: "Nothing",
};

/** The choices that hold for every session in this browser. Each takes effect at once. */
export function Settings() {
  const chosen = useStore(preferences);
  return (
    <section aria-labelledby="help-settings" className="flex flex-col gap-3 text-sm">
      <h3 id="help-settings" className="font-semibold">
        Settings of this browser
      </h3>
      <fieldset>
        <legend className="mb-1 text-muted-foreground">
          What a screen reader says when a reply is finished
        </legend>
        {ANNOUNCE_REPLIES.map((choice) => (
          <Choice key={choice} label={ANNOUNCE_NAMES[choice]}>
            <input
              type="radio"
              name="announce-replies"
              className="size-4 accent-primary"
              checked={chosen.announceReplies === choice}
              onChange={() => setPreference("announceReplies", choice)}
            />
          </Choice>
        ))}
      </fieldset>
      <div>
        <Choice label="Show a reply only when it is finished">
          <input
            type="checkbox"
            className="size-4 accent-primary"
            checked={chosen.showWhenFinished}
            onChange={(event) => setPreference("showWhenFinished", event.target.checked)}
          />
        </Choice>
        <Choice label="Shortcuts of a single key">
          <input
            type="checkbox"
            className="size-4 accent-primary"
            checked={chosen.singleKeyShortcuts}
            onChange={(event) => setPreference("singleKeyShortcuts", event.target.checked)}
          />
        </Choice>
      </div>
    </section>
  );
}

function Choice({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label className="flex min-h-8 items-center gap-2 touch:min-h-11">
      {children}
      {label}
    </label>
  );
}
