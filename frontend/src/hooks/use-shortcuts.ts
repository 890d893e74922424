import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { preferences } from "@/app/preferences";
import { type ShortcutName, shortcutOf } from "@/app/shortcuts";

/** Runs the action of every shortcut that is pressed, unless the user has switched them off. */
export function useShortcuts(actions: Readonly<Record<ShortcutName, () => void>>): void {
  const isOn = useStore(preferences, (chosen) => chosen.singleKeyShortcuts);
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    if (!isOn) return;
    const press = (event: KeyboardEvent): void => {
      const name = shortcutOf(event, document);
      if (name === null) return;
      // Firefox searches the page on `/`, and the key would end up in the composer.
      event.preventDefault();
      latest.current[name]();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [isOn]);
}
