import { ChartGantt, ChevronsDownUp, ChevronsUpDown, type LucideIcon, Table2 } from "lucide-react";
import { useCallback, useDeferredValue, useEffect, useMemo, useState } from "react";
import { useLink } from "@/app/link";
import { Button } from "@/components/ui/button";
import { Tabs, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { Tooltip } from "@/components/ui/tooltip";
import { SHOW_ALL } from "@/lib/row-filter";
import type { RowPlace } from "@/lib/row-window";
import { sessionTotals } from "@/lib/turn-totals";
import type { TelemetryItem, Turn } from "@/session/state";
import { FilterBar } from "./filter-bar";
import { OneTurnNote } from "./one-turn-note";
import { PanelHeading } from "./panel-heading";
import { SessionSummary } from "./session-summary";
import { TableView } from "./table-view";
import { useGroups } from "./use-groups";
import { useOpenTurns } from "./use-open-turns";
import { WaterfallView } from "./waterfall-view";

type PanelBodyProps = {
  turns: readonly Turn[];
  strays: readonly TelemetryItem[];
  eventCount: number;
};

/** The panel of a session in which something has happened. */
export function PanelBody({ turns, strays, eventCount }: PanelBodyProps) {
  const [view, setView] = useState("waterfall");
  const [filter, setFilter] = useState(SHOW_ALL);
  const [wanted, setWanted] = useState<RowPlace | null>(null);
  const browsing = useOpenTurns();
  const searching = useOpenTurns();
  const panelTurn = useLink((link) => link.panelTurn);
  const onlyTurn = turns.some((turn) => turn.id === panelTurn) ? panelTurn : null;
  const forgetWanted = useCallback(() => setWanted(null), []);
  const totals = useMemo(() => sessionTotals(turns, strays), [turns, strays]);

  // A key press is shown at once; the rows that it leaves follow when there is time.
  const shownFilter = useDeferredValue(filter);
  const isSearching = shownFilter.search.trim() !== "";
  const openTurns = isSearching ? searching : browsing;
  const { choices } = openTurns;
  const groups = useGroups({ turns, strays, filter: shownFilter, onlyTurn, choices });
  const matches = groups.reduce((sum, { passing }) => sum + passing.length, 0);

  // What the chat points at must be seen, whatever was hidden or closed before.
  const openTurn = browsing.set;
  useEffect(() => {
    if (onlyTurn === null) return;
    openTurn(onlyTurn, true);
    setFilter(SHOW_ALL);
  }, [onlyTurn, openTurn]);

  const setAll = (isOpen: boolean) => {
    openTurns.setAll(
      groups.map(({ turn }) => turn),
      isOpen,
    );
  };
  const showView = (name: string) => {
    setWanted(null);
    setView(name);
  };
  const showInWaterfall = (row: RowPlace) => {
    openTurns.set(row.turnId, true);
    setWanted(row);
    setView("waterfall");
  };
  return (
    // In a short window the rows keep some height, and all of the panel scrolls.
    <Tabs value={view} onValueChange={showView} className="h-full overflow-y-auto">
      <PanelHeading eventCount={eventCount}>
        <TabsList aria-label="View">
          <ViewTab value="waterfall" label="Waterfall" icon={ChartGantt} />
          <ViewTab value="table" label="Table" icon={Table2} />
        </TabsList>
        {view === "waterfall" && (
          <>
            <HeadingButton label="Expand all" icon={ChevronsUpDown} onClick={() => setAll(true)} />
            <HeadingButton
              label="Collapse all"
              icon={ChevronsDownUp}
              onClick={() => setAll(false)}
            />
          </>
        )}
      </PanelHeading>
      <div className="flex shrink-0 flex-col gap-2 border-b px-3 pb-2">
        <SessionSummary totals={totals} />
        <FilterBar filter={filter} matches={isSearching ? matches : null} onChange={setFilter} />
        {onlyTurn !== null && <OneTurnNote />}
      </div>
      <WaterfallView
        groups={groups}
        openTurns={openTurns}
        onlyTurn={onlyTurn}
        wanted={wanted}
        onFound={forgetWanted}
      />
      <TableView groups={groups} turns={turns} onShow={showInWaterfall} />
    </Tabs>
  );
}

type ControlProps = { label: string; icon: LucideIcon };

/** Where there is little room, the icon alone is seen. */
function ViewTab({ value, label, icon: Icon }: ControlProps & { value: string }) {
  return (
    <TabsTrigger value={value} title={label}>
      <Icon aria-hidden />
      <span className="sr-only @sm:not-sr-only">{label}</span>
    </TabsTrigger>
  );
}

function HeadingButton({ label, icon: Icon, onClick }: ControlProps & { onClick: () => void }) {
  return (
    <Tooltip content={label}>
      <Button variant="ghost" size="icon-sm" aria-label={label} onClick={onClick}>
        <Icon aria-hidden />
      </Button>
    </Tooltip>
  );
}
