import { CheckCircle, Info, X, XCircle } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { Button } from "./button";
import { dismissToast, readToasts, subscribeToToasts, type Toast } from "./toast-store";

const SHOWN_MS = 6000;

const icons = {
  neutral: <Info aria-hidden className="size-4 shrink-0 text-muted-foreground" />,
  success: <CheckCircle aria-hidden className="size-4 shrink-0 text-success" />,
  error: <XCircle aria-hidden className="size-4 shrink-0 text-destructive" />,
};

/** One note. It leaves after a while, but not from under a pointer or the focus. */
function ToastItem({ toast }: { toast: Toast }) {
  const [held, setHeld] = useState(false);
  const item = useFocusHeir<HTMLLIElement>();
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismissToast(toast.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held, toast.id]);
  return (
    <li
      ref={item}
      data-slot="toast"
      className="pointer-events-auto flex items-center gap-3 rounded-lg border bg-popover py-2 pr-2 pl-4 text-sm text-popover-foreground shadow-lg motion-safe:animate-in motion-safe:fade-in-0 motion-safe:slide-in-from-top-2"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {icons[toast.tone]}
      <span className="min-w-0 flex-1 wrap-anywhere">{toast.text}</span>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label="Dismiss"
        onClick={() => dismissToast(toast.id)}
      >
        <X aria-hidden />
      </Button>
    </li>
  );
}

/**
 * Where toasts appear: mount it once, beside the page. Deliberately no live region.
 * Below the header, because at the bottom they would lie on the composer; under open dialogs.
 */
export function Toaster() {
  const toasts = useSyncExternalStore(subscribeToToasts, readToasts);
  if (toasts.length === 0) return null;
  return (
    <section
      aria-label="Notices"
      className="pointer-events-none fixed inset-x-4 top-18 z-40 mx-auto max-w-sm"
    >
      <ul className="flex flex-col gap-2">
        {toasts.map((toast) => (
          <ToastItem key={toast.id} toast={toast} />
        ))}
      </ul>
    </section>
  );
}
