/** Which toasts are on screen: plain module state, so any code can show one. No React in here. */

export type Toast = { id: number; text: string; tone: "neutral" | "success" | "error" };

/** Three at most: a fourth pushes the oldest out, so a burst of failures cannot fill a phone. */
const MAX_TOASTS = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function replace(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/**
 * Shows a short note for sighted users. It is not spoken: whoever shows it tells the announcer too,
 * for two live regions would interrupt one another.
 */
export function showToast(text: string, tone: Toast["tone"] = "neutral"): void {
  lastId += 1;
  replace([...toasts, { id: lastId, text, tone }].slice(-MAX_TOASTS));
}

export function dismissToast(id: number): void {
  replace(toasts.filter((toast) => toast.id !== id));
}

export function readToasts(): readonly Toast[] {
  return toasts;
}

export function subscribeToToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
