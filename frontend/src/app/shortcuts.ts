/** The keyboard shortcuts: which there are, and when a key press is one. */

export type ShortcutName = "composer" | "help" | "new-session" | "sessions" | "telemetry";

export type Shortcut = {
  readonly name: ShortcutName;
  readonly key: string;
  readonly does: string;
};

/** Those of one key without a modifier, which the user can switch off. */
export const SHORTCUTS: readonly Shortcut[] = [
  { name: "composer", key: "/", does: "Go to the message field" },
  { name: "new-session", key: "n", does: "Start a new session" },
  { name: "sessions", key: "s", does: "Show the sessions" },
  { name: "telemetry", key: "t", does: "Show or hide the telemetry" },
  { name: "help", key: "?", does: "Show this help" },
];

/** Those that belong to a part of the page and cannot be mistaken for text. */
export const FIXED_SHORTCUTS: readonly {
  readonly keys: readonly string[];
  readonly does: string;
}[] = [
  { keys: ["Enter"], does: "Send the message" },
  { keys: ["Shift", "Enter"], does: "Start a new line in the message" },
  { keys: ["Esc"], does: "Stop the reply, or close what is open" },
];

type KeyPress = Pick<
  KeyboardEvent,
  | "key"
  | "ctrlKey"
  | "metaKey"
  | "altKey"
  | "repeat"
  | "isComposing"
  | "defaultPrevented"
  | "target"
>;

/**
 * The shortcut that a key press is, if it is one: no field has the focus, nothing is open that has
 * keys of its own, and no modifier is down. Shift does not count: on many keyboards it takes Shift
 * to write `/` or `?`.
 */
export function shortcutOf(press: KeyPress, page: Document): ShortcutName | null {
  if (!isPlain(press)) return null;
  const shortcut = SHORTCUTS.find(({ key }) => key === press.key);
  if (shortcut === undefined || isField(press.target) || hasOpenLayer(page)) return null;
  return shortcut.name;
}

/**
 * Whether a key press asks to stop the reply, wherever the focus is. An open tooltip, menu or dialog
 * takes Esc for itself, as does a search that has a text.
 */
export function isStop(press: KeyPress, page: Document): boolean {
  return press.key === "Escape" && isPlain(press) && !hasOpenLayer(page);
}

/** Pressed alone, and not handled by anybody yet. */
function isPlain(press: KeyPress): boolean {
  if (press.ctrlKey || press.metaKey || press.altKey) return false;
  return !press.repeat && !press.isComposing && !press.defaultPrevented;
}

const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(FIELDS) !== null;
}

function hasOpenLayer(page: Document): boolean {
  return page.querySelector("[role='dialog'], [role='alertdialog'], [role='menu']") !== null;
}
