import { Monitor, Moon, Sun } from "lucide-react";
import { useStore } from "zustand";
import { preferences, setPreference, THEMES, type Theme } from "@/app/preferences";
import { announcements } from "@/components/shell/announcement-queue";
import { THEME_NAMES } from "@/components/shell/theme-names";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";

const ICONS = { light: Sun, dark: Moon, system: Monitor };

/** Goes through the choices of colours: each press takes the next, and says which it is. */
export function ThemeButton() {
  const theme = useStore(preferences, (chosen) => chosen.theme);
  const next = themeAfter(theme);
  const Icon = ICONS[theme];
  const change = (): void => {
    setPreference("theme", next);
    announcements.announce({ region: "note", text: nameOf(next) });
  };
  return (
    <Tooltip content={`Change to: ${THEME_NAMES[next]}`}>
      <Button variant="ghost" size="icon" aria-label={nameOf(theme)} onClick={change}>
        <Icon aria-hidden />
      </Button>
    </Tooltip>
  );
}

function nameOf(theme: Theme): string {
  return `Theme: ${THEME_NAMES[theme]}`;
}

function themeAfter(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? theme;
}
