import { Brain, Database, type LucideIcon, Search, X, Zap } from "lucide-react";
import { type KeyboardEvent, useId, useRef } from "react";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import type { KindGroup, RowFilter } from "@/lib/row-filter";

const KINDS: readonly { group: KindGroup; label: string; icon: LucideIcon; ink: string }[] = [
  {
    group: "model",
    label: "Model",
    icon: Brain,
    ink: "border-span-llm bg-span-llm-soft text-span-llm",
  },
  {
    group: "tool",
    label: "Tool",
    icon: Database,
    ink: "border-span-tool bg-span-tool-soft text-span-tool",
  },
  {
    group: "event",
    label: "Other",
    icon: Zap,
    ink: "border-span-agent bg-span-agent-soft text-span-agent",
  },
];

const HINTS: Readonly<Record<KindGroup, string>> = {
  model: "Model calls",
  tool: "Tool calls",
  event: "Queue, attempts, errors and the agent's own events",
};

type FilterBarProps = {
  filter: RowFilter;
  /** How many rows pass; null while everything does. */
  matches: number | null;
  onChange: (filter: RowFilter) => void;
};

/** Which rows are shown: a switch for each kind, and a search in what they say. */
export function FilterBar({ filter, matches, onChange }: FilterBarProps) {
  const countId = useId();
  const toggle = (group: KindGroup) => {
    const hidden = new Set(filter.hidden);
    if (!hidden.delete(group)) hidden.add(group);
    onChange({ ...filter, hidden });
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form */}
      <div role="group" aria-label="Kinds of rows" className="flex items-center gap-1">
        {KINDS.map(({ group, label, icon: Icon, ink }) => {
          const isShown = !filter.hidden.has(group);
          return (
            <Tooltip key={group} content={HINTS[group]}>
              <Button
                variant="outline"
                size="sm"
                aria-pressed={isShown}
                className={cn(
                  "h-7 gap-1 px-2",
                  isShown ? ink : "border-dashed text-muted-foreground line-through",
                )}
                onClick={() => toggle(group)}
              >
                <Icon aria-hidden />
                <span className="sr-only @min-[24rem]:not-sr-only">{label}</span>
              </Button>
            </Tooltip>
          );
        })}
      </div>
      <SearchField
        text={filter.search}
        describedBy={matches === null ? undefined : countId}
        onChange={(search) => onChange({ ...filter, search })}
      />
      {matches !== null && (
        <span
          id={countId}
          className="basis-full text-xs text-muted-foreground tabular-nums @min-[24rem]:basis-auto"
        >
          {matches === 1 ? "1 match" : `${matches.toLocaleString("en")} matches`}
        </span>
      )}
    </div>
  );
}

type SearchFieldProps = {
  text: string;
  /** The id of what says how much was found. */
  describedBy: string | undefined;
  onChange: (text: string) => void;
};

function SearchField({ text, describedBy, onChange }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const clear = () => {
    onChange("");
    field.current?.focus();
  };
  // Escape means "stop the reply" to the page, so what it means here ends here.
  const clearOnEscape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || text === "") return;
    event.preventDefault();
    event.stopPropagation();
    clear();
  };
  return (
    <div className="relative flex min-w-28 flex-1 items-center @min-[24rem]:min-w-40">
      <Search
        aria-hidden
        className="pointer-events-none absolute left-2 size-3.5 text-muted-foreground"
      />
      <input
        ref={field}
        type="search"
        aria-label="Search the telemetry"
        aria-describedby={describedBy}
        placeholder="Search"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={clearOnEscape}
        className="h-7 w-full min-w-0 rounded-md border border-input bg-background pr-8 pl-7 text-xs text-foreground placeholder:text-muted-foreground [&::-webkit-search-cancel-button]:hidden touch:h-11 touch:text-base"
      />
      {text !== "" && (
        <Button
          variant="ghost"
          size="icon-sm"
          className="absolute right-0.5 size-6"
          aria-label="Clear the search"
          onClick={clear}
        >
          <X aria-hidden />
        </Button>
      )}
    </div>
  );
}
