import { vi } from "vitest";

/** The tab goes into the background, or comes back. */
export function hideTab(isHidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
  document.dispatchEvent(new Event("visibilitychange"));
}
