/** The panel on a page, fed with frames as a gateway sends them. For tests. */
import { act, render } from "@testing-library/react";
import { useLink } from "@/app/link";
import type { Frame } from "@/protocol/guard";
import { EMPTY_SESSION } from "@/session/state";
import { telemetryOf } from "@/session/telemetry";
import { START, stateAfter } from "@/test/builders";
import { TelemetryPanel } from "./TelemetryPanel";

/** The moment so many milliseconds after `START`, as a frame says it. */
export function at(ms: number): { timestamp: string } {
  return { timestamp: new Date(START + ms).toISOString() };
}

/** Renders the panel after these frames; `receive` brings it more. */
export function renderPanel(
  frames: readonly Frame[],
  { isLoaded = true, isClosed = false, clockSkewMs = 0 } = {},
) {
  useLink.setState({ panelTurn: null, chatPlace: null, hovered: null });
  let state = stateAfter(frames, EMPTY_SESSION);
  const panel = () => (
    <TelemetryPanel
      turns={state.turns}
      strays={state.strays}
      telemetryEvents={telemetryOf(state.turns, state.strays)}
      clockSkewMs={clockSkewMs}
      isLoaded={isLoaded}
      isClosed={isClosed}
    />
  );
  const { container, rerender } = render(panel());
  const receive = (...more: Frame[]): void => {
    state = stateAfter(more, state);
    act(() => rerender(panel()));
  };
  return { container, receive };
}
