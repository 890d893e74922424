import { Monitor, Moon, Sun } from "lucide-react";
import { useStore } from "zustand";
import { preferences, setPreference, THEMES, type Theme } from "@/app/preferences";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";

const NAMES: Readonly<Record<Theme, string>> = { light: "Light", dark: "Dark", system: "System" };
const ICONS = { light: Sun, dark: Moon, system: Monitor };

/** A button that opens the choice of colours. */
export function ThemeMenu() {
  const theme = useStore(preferences, (chosen) => chosen.theme);
  const Icon = ICONS[theme];
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="Theme">
          <Icon aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        <ThemeItems />
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

/** The three choices, inside whatever menu. */
export function ThemeItems() {
  const theme = useStore(preferences, (chosen) => chosen.theme);
  return (
    <DropdownMenuRadioGroup value={theme} aria-label="Theme">
      {THEMES.map((choice) => (
        <DropdownMenuRadioItem
          key={choice}
          value={choice}
          onSelect={() => setPreference("theme", choice)}
        >
          {NAMES[choice]}
        </DropdownMenuRadioItem>
      ))}
    </DropdownMenuRadioGroup>
  );
}
