import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/durations";
import { type SessionTotals, workedMsAt } from "@/lib/turn-totals";
import { useGatewayNow } from "./use-gateway-now";

/** What the session comes to so far. */
export function SessionSummary({ totals }: { totals: SessionTotals }) {
  return (
    <dl
      aria-label="Session totals"
      className="grid grid-cols-[1.5fr_1.2fr_1fr] gap-px overflow-hidden rounded-lg border bg-border @min-[30rem]:grid-cols-[0.8fr_1.1fr_1fr_1.6fr_1fr_0.8fr]"
    >
      <Total label="Turns">{count(totals.turns)}</Total>
      <Total label="Model calls" ink="text-span-llm">
        {count(totals.modelCalls)}
      </Total>
      <Total label="Tool calls" ink="text-span-tool">
        {count(totals.toolCalls)}
      </Total>
      <Total label="Tokens" unit="in / out">
        {tokens(totals.promptTokens)} <span className="text-muted-foreground">/</span>{" "}
        {tokens(totals.completionTokens)}
      </Total>
      <Total label="Worked">
        <Worked totals={totals} />
      </Total>
      <Total label="Errors" ink={totals.errors > 0 ? "text-destructive" : undefined}>
        {count(totals.errors)}
      </Total>
    </dl>
  );
}

type TotalProps = { label: string; unit?: string; ink?: string; children: ReactNode };

/** A number above its name, or beside it where the panel is low. */
function Total({ label, unit, ink, children }: TotalProps) {
  return (
    <div className="flex min-w-0 flex-col-reverse bg-card px-1.5 py-1 [@container_(height<34rem)]:flex-row [@container_(height<34rem)]:items-baseline [@container_(height<34rem)]:justify-between [@container_(height<34rem)]:gap-1 [@container_(height<34rem)]:py-0.5">
      <dt className="truncate text-[0.6875rem] text-muted-foreground">
        {label}
        {unit !== undefined && <span className="[@container_(height<34rem)]:sr-only"> {unit}</span>}
      </dt>
      <dd className={cn("shrink-0 text-sm font-semibold tabular-nums", ink)}>{children}</dd>
    </div>
  );
}

function Worked({ totals }: { totals: SessionTotals }) {
  const now = useGatewayNow(totals.workingSince !== null);
  return <>{formatDuration(workedMsAt(totals, now))}</>;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

/** A dash where no provider has counted; short where there is little room. */
function tokens(value: number | null): string {
  if (value === null) return "–";
  return value < 10_000 ? count(value) : COMPACT.format(value);
}

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
