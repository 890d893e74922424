import { type ReactNode, useId } from "react";
import { useStore } from "zustand";
import {
  ANNOUNCE_REPLIES,
  type AnnounceReplies,
  preferences,
  setPreference,
  THEMES,
} from "@/app/preferences";
import { THEME_NAMES } from "@/components/shell/theme-names";

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
      <OneOf
        legend="Theme"
        choices={THEMES}
        names={THEME_NAMES}
        chosen={chosen.theme}
        onChoose={(theme) => setPreference("theme", theme)}
      />
      <OneOf
        legend="What a screen reader says when a reply is finished"
        choices={ANNOUNCE_REPLIES}
        names={ANNOUNCE_NAMES}
        chosen={chosen.announceReplies}
        onChoose={(replies) => setPreference("announceReplies", replies)}
      />
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

type OneOfProps<T extends string> = {
  legend: string;
  choices: readonly T[];
  names: Readonly<Record<T, string>>;
  chosen: T;
  onChoose: (choice: T) => void;
};

function OneOf<T extends string>({ legend, choices, names, chosen, onChoose }: OneOfProps<T>) {
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-1 text-muted-foreground">{legend}</legend>
      <div className="flex flex-wrap gap-x-5">
        {choices.map((choice) => (
          <Choice key={choice} label={names[choice]}>
            <input
              type="radio"
              name={name}
              className="size-4 accent-primary"
              checked={choice === chosen}
              onChange={() => onChoose(choice)}
            />
          </Choice>
        ))}
      </div>
    </fieldset>
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
