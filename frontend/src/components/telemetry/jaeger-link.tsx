import { ExternalLink } from "lucide-react";
import { Button } from "@/components/ui/button";
import { jaegerUiUrl, traceUrl } from "@/lib/jaeger";
import type { Id } from "@/session/state";

type JaegerLinkProps = { traceId: Id | null; spanId?: Id | null; label: string };

/** The way to a trace, or to a span in it; nothing where the page knows no Jaeger. */
export function JaegerLink({ traceId, spanId = null, label }: JaegerLinkProps) {
  const uiUrl = jaegerUiUrl();
  if (uiUrl === null || traceId === null) return null;
  return (
    <Button variant="ghost" size="icon-sm" asChild>
      <a
        href={traceUrl(uiUrl, traceId, spanId)}
        target="_blank"
        rel="noreferrer noopener"
        title={label}
        aria-label={`${label} (opens in a new tab)`}
      >
        <ExternalLink aria-hidden />
      </a>
    </Button>
  );
}
