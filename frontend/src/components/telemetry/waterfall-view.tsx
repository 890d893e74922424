import { ArrowDown } from "lucide-react";
import { useEffect } from "react";
import { useStickToBottom } from "use-stick-to-bottom";
import { Button } from "@/components/ui/button";
import { TabsContent } from "@/components/ui/tabs";
import { useMediaQuery } from "@/hooks/use-media-query";
import { linesIn, type RowPlace, sectionsIn } from "@/lib/row-window";
import type { Id } from "@/session/state";
import { NoMatches } from "./panel-states";
import { TurnSection } from "./turn-section";
import type { TurnGroup } from "./use-groups";
import type { OpenTurns } from "./use-open-turns";
import { useRowWindow } from "./use-row-window";
import { useWantedRow } from "./use-wanted-row";
import { LoadEarlier, LoadLater } from "./window-buttons";

type WaterfallViewProps = {
  groups: readonly TurnGroup[];
  openTurns: OpenTurns;
  /** The only turn that is shown; null: all are. */
  onlyTurn: Id | null;
  /** The row that the reader is to be led to; null: none. */
  wanted: RowPlace | null;
  onFound: () => void;
};

/**
 * All turns, one below the other, the newest last. It follows what is added at the end until the
 * reader scrolls away or opens a row. Hidden, it costs nothing.
 */
export function WaterfallView(props: WaterfallViewProps) {
  return (
    <TabsContent
      value="waterfall"
      tabIndex={-1}
      className="flex min-h-56 flex-col data-[state=inactive]:hidden"
    >
      <Waterfall {...props} />
    </TabsContent>
  );
}

function Waterfall({ groups, openTurns, onlyTurn, wanted, onFound }: WaterfallViewProps) {
  const isStill = useMediaQuery("(prefers-reduced-motion: reduce)");
  const { scrollRef, contentRef, isAtBottom, scrollToBottom, stopScroll } = useStickToBottom({
    initial: "instant",
    resize: isStill ? "instant" : "smooth",
  });
  const total = linesIn(groups);
  const { span, move } = useRowWindow(total, scrollRef);
  useWantedRow(wanted, onFound, { groups, scroller: scrollRef, span, move, stopScroll });
  const isLive = groups.some(({ layout }) => layout.totalMs === null);

  // A turn that the chat pointed at is shown from its beginning.
  useEffect(() => {
    if (onlyTurn === null) return;
    stopScroll();
    scrollRef.current?.scrollTo({ top: 0 });
  }, [onlyTurn, scrollRef, stopScroll]);

  const moveTo = (end: number | null) => {
    stopScroll();
    move(end);
  };
  const follow = () => {
    move(null);
    void scrollToBottom(isStill ? "instant" : "smooth");
  };
  const canFollow = isLive && (!isAtBottom || span.to < total);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form */}
      <div
        ref={scrollRef}
        role="group"
        aria-label="Waterfall"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 scroll-pt-20 overflow-x-hidden overflow-y-auto"
      >
        <div ref={contentRef} onClickCapture={stopScroll}>
          <LoadEarlier span={span} total={total} onMove={moveTo} />
          {groups.length === 0 && <NoMatches />}
          <ol aria-label="Turns" className="flex min-w-0 flex-col">
            {sectionsIn(groups, span).map(({ group, rows }) => (
              <TurnSection
                key={group.turn.id}
                turn={group.turn}
                layout={group.layout}
                rows={rows}
                isOpen={group.isOpen}
                onToggle={openTurns.set}
                onUse={openTurns.keep}
              />
            ))}
          </ol>
          <LoadLater span={span} total={total} onMove={moveTo} />
        </div>
      </div>
      {canFollow && (
        <div className="flex shrink-0 justify-center border-t p-1.5">
          <Button variant="secondary" size="sm" onClick={follow}>
            <ArrowDown aria-hidden />
            Follow what runs
          </Button>
        </div>
      )}
    </>
  );
}
