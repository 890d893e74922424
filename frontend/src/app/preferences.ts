/**
 * What the user has chosen for this browser. Every tab has the same choice, at once: a tab that
 * changes one tells the others through the storage event.
 */
import { createStore } from "zustand/vanilla";
import { fieldsOf, onStoredElsewhere, parseJson, readStored, writeStored } from "@/app/storage";

export const THEMES = ["light", "dark", "system"] as const;
export type Theme = (typeof THEMES)[number];

/** How a finished reply is told to a screen reader: its text, that it has come, or not at all. */
export const ANNOUNCE_REPLIES = ["full", "finish", "off"] as const;
export type AnnounceReplies = (typeof ANNOUNCE_REPLIES)[number];

export type Preferences = {
  readonly theme: Theme;
  readonly announceReplies: AnnounceReplies;
  /** A reply stays hidden until it is whole, for those who read magnified or slowly. */
  readonly showWhenFinished: boolean;
  /** Shortcuts of one key without a modifier (WCAG 2.1.4 wants them to be switchable). */
  readonly singleKeyShortcuts: boolean;
};

export const DEFAULTS: Preferences = {
  theme: "system",
  announceReplies: "full",
  showWhenFinished: false,
  singleKeyShortcuts: true,
};

const KEY = "fanline-preferences";

/** Read with `useStore(preferences, (chosen) => chosen.theme)`, change with `setPreference`. */
export const preferences = createStore<Preferences>(() => parsePreferences(readStored(KEY)));

/** Changes one preference, here and in every other tab, and remembers it. */
export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  // What another tab has chosen meanwhile stays chosen.
  const chosen = { ...parsePreferences(readStored(KEY)), [name]: value };
  writeStored(KEY, JSON.stringify(chosen));
  preferences.setState(chosen);
}

/** Follows the choices of other tabs; returns how to end that. */
export function followPreferences(): () => void {
  return onStoredElsewhere(KEY, () => preferences.setState(parsePreferences(readStored(KEY))));
}

/** The preferences that `text` writes; what it has not, or has wrong, is the default. */
export function parsePreferences(text: string | null): Preferences {
  const stored = fieldsOf(parseJson(text));
  return {
    theme: oneOf(THEMES, stored.theme, DEFAULTS.theme),
    announceReplies: oneOf(ANNOUNCE_REPLIES, stored.announceReplies, DEFAULTS.announceReplies),
    showWhenFinished: flag(stored.showWhenFinished, DEFAULTS.showWhenFinished),
    singleKeyShortcuts: flag(stored.singleKeyShortcuts, DEFAULTS.singleKeyShortcuts),
  };
}

function oneOf<T extends string>(choices: readonly T[], value: unknown, otherwise: T): T {
  return choices.find((choice) => choice === value) ?? otherwise;
}

function flag(value: unknown, otherwise: boolean): boolean {
  return typeof value === "boolean" ? value : otherwise;
}
