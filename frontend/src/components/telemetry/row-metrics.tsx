import { formatDuration } from "@/lib/durations";
import type { Row } from "@/lib/waterfall-rows";
import { GrowingTime } from "./growing-time";
import { Status } from "./row-looks";

/** Status, duration and tokens, always in this order; what is not known is left out. */
export function RowMetrics({ row }: { row: Row }) {
  const tokens = tokensOf(row);
  return (
    <>
      {row.status !== null && <Status status={row.status} />}{" "}
      {row.isGrowing || row.durationMs !== null ? (
        <span className="whitespace-nowrap text-foreground">
          <RowDuration row={row} />
        </span>
      ) : null}{" "}
      {tokens !== null && <span className="whitespace-nowrap">{tokens}</span>}
    </>
  );
}

/** How long the row lasted, or has lasted so far; nothing where that is not known. */
export function RowDuration({ row }: { row: Row }) {
  if (row.isGrowing) return <GrowingTime at={row.at} />;
  return row.durationMs === null ? null : formatDuration(row.durationMs);
}

/** `310 in, 42 out` of a model call whose provider counted. */
export function tokensOf({ item }: Row): string | null {
  if (item?.kind !== "model_call" || item.end === null) return null;
  return formatTokens(item.end.promptTokens, item.end.completionTokens);
}

/** `310 in, 42 out`; `noun` goes after the first number. Null when neither is known. */
export function formatTokens(
  prompt: number | null,
  completion: number | null,
  noun = "",
): string | null {
  const parts = [
    prompt !== null && `${prompt.toLocaleString("en")}${noun} in`,
    completion !== null && `${completion.toLocaleString("en")}${prompt === null ? noun : ""} out`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? null : parts.join(", ");
}
