/** The parts of the page that are fetched apart from it, because the first view has none of them. */

export async function fetchSessionList() {
  return (await import("@/components/shell/session-list")).default;
}

export async function fetchHelpDialog() {
  return (await import("@/components/shell/help-dialog")).default;
}

export async function fetchTelemetryPanel() {
  return (await import("@/components/telemetry/TelemetryPanel")).TelemetryPanel;
}

export async function fetchTelemetryDrawer() {
  return (await import("@/components/shell/telemetry-drawer")).TelemetryDrawer;
}

export async function fetchRowDetails() {
  return (await import("@/components/telemetry/row-details")).RowDetails;
}

export async function fetchPlainText() {
  return await import("@/components/shell/plain-text");
}

/** Where the browser does not tell when it has nothing to do. */
const IDLE_AFTER_MS = 1000;

/** Fetches all parts as soon as there is nothing better to do; returns how to let it be. */
export function fetchTheRestWhenIdle(): () => void {
  if (!("requestIdleCallback" in window)) {
    const timer = setTimeout(fetchTheRest, IDLE_AFTER_MS);
    return () => clearTimeout(timer);
  }
  const request = window.requestIdleCallback(fetchTheRest);
  return () => window.cancelIdleCallback(request);
}

/** So that they are there offline too. */
function fetchTheRest(): void {
  const parts = [
    fetchTelemetryPanel,
    fetchRowDetails,
    fetchTelemetryDrawer,
    fetchSessionList,
    fetchHelpDialog,
    fetchPlainText,
  ];
  for (const fetchPart of parts) {
    // Asked for again, and told of, when it is wanted.
    fetchPart().catch(() => undefined);
  }
}
