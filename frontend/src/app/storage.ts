/**
 * What this browser remembers for the page, shared by its tabs.
 *
 * `localStorage` can be missing, forbidden or full. Then a value lives in memory, for as long as
 * the page does: nothing here ever throws.
 */
const unstored = new Map<string, string>();

/** The value last written under `key`, by any tab; null when there is none. */
export function readStored(key: string): string | null {
  const value = unstored.get(key);
  if (value !== undefined) return value;
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers `value`, in the browser if it can, else in this page. */
export function writeStored(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
    unstored.delete(key);
  } catch {
    unstored.set(key, value);
  }
}

/** Calls `listener` when another tab has changed the value under `key`; returns how to end that. */
export function onStoredElsewhere(key: string, listener: () => void): () => void {
  const hear = (event: StorageEvent): void => {
    // Without a key, everything was cleared.
    if (event.key !== key && event.key !== null) return;
    unstored.delete(key);
    listener();
  };
  window.addEventListener("storage", hear);
  return () => window.removeEventListener("storage", hear);
}

/** The JSON value that `text` writes; undefined when it writes none. */
export function parseJson(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `value` as an object whose fields may be anything; one without fields when it is none. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
