/** Light or dark: what the user chose, or what the system says. */
import { useEffect } from "react";
import { useStore } from "zustand";
import { preferences, type Theme } from "@/app/preferences";
import { useMediaQuery } from "@/hooks/use-media-query";

const DARK = "(prefers-color-scheme: dark)";

/** Sets the page's colours. Called before the first paint too, or a dark page would flash white. */
export function applyTheme(theme: Theme, systemIsDark: boolean): void {
  const isDark = theme === "dark" || (theme === "system" && systemIsDark);
  const root = document.documentElement;
  root.classList.toggle("dark", isDark);
  // Scroll bars, fields and the canvas behind the page are the browser's own.
  root.style.colorScheme = isDark ? "dark" : "light";
}

/** What `applyTheme` needs before React runs. */
export function systemIsDark(): boolean {
  return window.matchMedia(DARK).matches;
}

/** Keeps the page in the chosen colours, through changes here, in another tab and of the system. */
export function useTheme(): void {
  const theme = useStore(preferences, (chosen) => chosen.theme);
  const isDark = useMediaQuery(DARK);
  useEffect(() => applyTheme(theme, isDark), [theme, isDark]);
}
