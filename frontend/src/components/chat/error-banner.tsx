import { CircleAlert, X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import type { SocketError } from "@/session/state";

/** What the gateway found wrong that belongs to no message, until it is dismissed. */
export function ErrorBanner({ error, onDismiss }: { error: SocketError; onDismiss: () => void }) {
  const banner = useFocusHeir<HTMLDivElement>();
  return (
    <div
      ref={banner}
      role="alert"
      className="flex min-w-0 items-center gap-2 border-b border-destructive bg-destructive-soft px-4 py-1.5 text-sm text-destructive"
    >
      <CircleAlert aria-hidden className="size-4 shrink-0" />
      <p className="min-w-0 flex-1 wrap-anywhere">
        {error.error} <code className="ms-1 font-mono text-xs">{error.code}</code>
      </p>
      <Button variant="ghost" size="icon-sm" aria-label="Dismiss the error" onClick={onDismiss}>
        <X aria-hidden />
      </Button>
    </div>
  );
}
