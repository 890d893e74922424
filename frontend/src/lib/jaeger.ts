/** Where a trace and a span can be looked at in Jaeger. */
import type { Id } from "@/session/state";

/** What the page carries where nobody has written an address. */
const UNSET = "__JAEGER_UI_URL__";

/** The address of Jaeger's UI that the gateway wrote into the page, or null when there is none. */
export function jaegerUiUrl(page: Document = document): string | null {
  const meta = page.querySelector<HTMLMetaElement>('meta[name="jaeger-ui-url"]');
  const url = meta?.content.trim() ?? "";
  if (url === UNSET || !/^https?:\/\//i.test(url)) return null;
  return url.replace(/\/+$/, "");
}

/** The page of a trace, with one span marked when `spanId` is given. */
export function traceUrl(uiUrl: string, traceId: Id, spanId: Id | null): string {
  const trace = `${uiUrl}/trace/${encodeURIComponent(traceId)}`;
  return spanId === null ? trace : `${trace}?uiFind=${encodeURIComponent(spanId)}`;
}
