import { Hourglass } from "lucide-react";
import { useNow } from "@/hooks/use-now";
import { counted } from "@/lib/turn-summary";

/** A free worker has begun by then. */
const SHOWN_AFTER_MS = 3000;

type WaitingNoticeProps = {
  /** By the gateway's clock; null when the log no longer says. */
  askedAt: number | null;
  clockSkewMs: number;
  /** Turns of this session that are answered first. */
  turnsBefore: number;
};

/** Why there is no answer yet, once a message has waited for three seconds. */
export function WaitingNotice({ askedAt, clockSkewMs, turnsBefore }: WaitingNoticeProps) {
  const isDue = useNow(
    (now) => askedAt === null || now + clockSkewMs - askedAt > SHOWN_AFTER_MS,
    true,
  );
  if (!isDue) return null;
  return (
    <p className="flex items-center gap-1.5 text-xs text-muted-foreground">
      <Hourglass aria-hidden className="size-3.5 motion-safe:animate-pulse" />
      {turnsBefore === 0
        ? "Waiting for a worker"
        : `Waiting: ${counted(turnsBefore, "turn")} before this one`}
    </p>
  );
}
