/** Where a trace and a span can be looked at in Jaeger. */
import { readMeta } from "@/lib/page-meta";
import type { Id } from "@/session/state";

/** The address of Jaeger's UI that the gateway wrote into the page, or null when there is none. */
export function jaegerUiUrl(page: Document = document): string | null {
  const url = readMeta("jaeger-ui-url", page);
  return /^https?:\/\//i.test(url) ? url.replace(/\/+$/, "") : null;
}

/** The page of a trace, with one span marked when `spanId` is given. */
export function traceUrl(uiUrl: string, traceId: Id, spanId: Id | null): string {
  const trace = `${uiUrl}/trace/${encodeURIComponent(traceId)}`;
  return spanId === null ? trace : `${trace}?uiFind=${encodeURIComponent(spanId)}`;
}
