import { ArrowDown, ArrowUp } from "lucide-react";
import { Button } from "@/components/ui/button";
import { earlierEnd, laterEnd, type Span } from "@/lib/row-window";

type WindowButtonProps = {
  span: Span;
  total: number;
  onMove: (end: number | null) => void;
};

/** The way to what lies before the rows on the page; nothing when they begin the list. */
export function LoadEarlier({ span, total, onMove }: WindowButtonProps) {
  if (span.from === 0) return null;
  return (
    <div className="flex justify-center p-2">
      <Button variant="secondary" size="sm" onClick={() => onMove(earlierEnd(span))}>
        <ArrowUp aria-hidden />
        Load earlier ({span.from.toLocaleString("en")} of {total.toLocaleString("en")})
      </Button>
    </div>
  );
}

/** The way to what lies after the rows on the page; nothing when they end the list. */
export function LoadLater({ span, total, onMove }: WindowButtonProps) {
  if (span.to >= total) return null;
  return (
    <div className="flex justify-center p-2">
      <Button variant="secondary" size="sm" onClick={() => onMove(laterEnd(span, total))}>
        <ArrowDown aria-hidden />
        Load later ({(total - span.to).toLocaleString("en")} of {total.toLocaleString("en")})
      </Button>
    </div>
  );
}
