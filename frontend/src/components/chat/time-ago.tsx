import { useNow } from "@/hooks/use-now";
import { relativeTime } from "@/lib/relative-time";

type TimeAgoProps = {
  /** By the gateway's clock. */
  at: number;
  clockSkewMs: number;
};

/** How long ago something was; the exact time is in its title. */
export function TimeAgo({ at, clockSkewMs }: TimeAgoProps) {
  const here = at - clockSkewMs;
  const label = useNow((now) => relativeTime(here, now));
  const moment = new Date(here);
  return (
    <time
      dateTime={moment.toISOString()}
      title={moment.toLocaleString("en-GB")}
      className="text-xs whitespace-nowrap text-muted-foreground tabular-nums"
    >
      {label}
    </time>
  );
}
