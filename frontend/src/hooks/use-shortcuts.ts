import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { preferences } from "@/app/preferences";
import { isStop, type ShortcutName, shortcutOf } from "@/app/shortcuts";

/**
 * Runs the action of every shortcut that is pressed, unless the user has switched them off, and
 * `stop` when Esc asks for that, which nobody can mistake for text.
 */
export function useShortcuts(
  actions: Readonly<Record<ShortcutName, () => void>>,
  stop: () => void,
): void {
  const isOn = useStore(preferences, (chosen) => chosen.singleKeyShortcuts);
  const latest = useRef({ actions, stop, isOn });
  useEffect(() => {
    latest.current = { actions, stop, isOn };
  });
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const { actions, stop, isOn } = latest.current;
      if (isStop(event, document)) stop();
      const name = isOn ? shortcutOf(event, document) : null;
      if (name === null) return;
      // Firefox searches the page on `/`, and the key would end up in the composer.
      event.preventDefault();
      actions[name]();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
