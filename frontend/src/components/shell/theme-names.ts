import type { Theme } from "@/app/preferences";

/** What each choice of colours is called. */
export const THEME_NAMES: Readonly<Record<Theme, string>> = {
  light: "Light",
  dark: "Dark",
  system: "As the system",
};
