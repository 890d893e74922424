import { CircleAlert, Clock } from "lucide-react";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { useNow } from "@/hooks/use-now";
import type { Id, PendingMessage } from "@/session/state";

/** A message is mostly echoed sooner; a word that comes and goes at once would only flicker. */
const SENDING_SHOWN_AFTER_MS = 1000;

export type PendingActions = {
  retryMessage: (messageId: Id) => void;
  dropMessage: (messageId: Id) => void;
};

/** Where a message is that the log does not have yet, and what can still be done about it. */
export function PendingNote({ pending, ...actions }: { pending: PendingMessage } & PendingActions) {
  if (pending.state === "refused") return <Refused pending={pending} {...actions} />;
  if (pending.state === "sent") return <Sending since={pending.at} />;
  return <Waiting onRemove={() => actions.dropMessage(pending.id)} />;
}

function Waiting({ onRemove }: { onRemove: () => void }) {
  const note = useFocusHeir<HTMLDivElement>();
  return (
    <div ref={note} className="flex flex-wrap items-center justify-end gap-x-1.5">
      <Note>
        <Clock aria-hidden className="size-3.5" />
        Waiting to be sent
      </Note>
      <Button variant="ghost" size="sm" onClick={onRemove}>
        Remove
      </Button>
    </div>
  );
}

function Sending({ since }: { since: number }) {
  const isSlow = useNow((now) => now - since >= SENDING_SHOWN_AFTER_MS, true);
  return isSlow ? <Note>Sending…</Note> : null;
}

function Note({ children }: { children: React.ReactNode }) {
  return <p className="flex items-center gap-1.5 text-xs text-muted-foreground">{children}</p>;
}

function Refused({
  pending,
  retryMessage,
  dropMessage,
}: { pending: PendingMessage } & PendingActions) {
  const note = useFocusHeir<HTMLDivElement>();
  return (
    <div ref={note} className="flex min-w-0 flex-wrap items-center justify-end gap-x-3 gap-y-1.5">
      <p role="alert" className="flex min-w-0 items-start gap-1.5 text-xs text-destructive">
        <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
        <span className="min-w-0 wrap-anywhere">
          Not sent: {pending.error?.error ?? "The gateway refused it."}
        </span>
      </p>
      <div className="flex gap-1.5">
        {pending.error?.isRetryable !== false && (
          <Button variant="outline" size="sm" onClick={() => retryMessage(pending.id)}>
            Retry
          </Button>
        )}
        <Button variant="ghost" size="sm" onClick={() => dropMessage(pending.id)}>
          Remove
        </Button>
      </div>
    </div>
  );
}
