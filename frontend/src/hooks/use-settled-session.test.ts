import { renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { useSettledSession } from "@/hooks/use-settled-session";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import { FrameWriter, stateAfter } from "@/test/builders";

const { turns } = stateAfter([new FrameWriter().message()]);

function aSession(fields: Partial<WebSocketSession>): WebSocketSession {
  const nothing = (): void => undefined;
  return {
    isConnected: true,
    connection: { state: "connected", reason: null, reconnects: 0 },
    isLoaded: true,
    isTruncated: false,
    clockSkewMs: 0,
    turns: [],
    strays: [],
    messages: [],
    telemetryEvents: [],
    error: null,
    sendMessage: () => "id",
    stop: nothing,
    retryMessage: nothing,
    dropMessage: nothing,
    retryNow: nothing,
    dismissError: nothing,
    ...fields,
  };
}

/** Whether the page shows each of these, one after the other. */
function shown(states: readonly Partial<WebSocketSession>[]): readonly boolean[] {
  const page = renderHook(useSettledSession, { initialProps: aSession({ isLoaded: false }) });
  return states.map((state) => {
    page.rerender(aSession(state));
    return page.result.current.isLoaded;
  });
}

it("a session that loads is shown when it is whole", () => {
  expect(shown([{ isLoaded: false }, { isLoaded: false, turns }, { turns }])).toEqual([
    false,
    false,
    true,
  ]);
});

it("a session that resumes stays on screen", () => {
  expect(shown([{ turns }, { isLoaded: false, turns }, { turns }])).toEqual([true, true, true]);
});

it("a session that starts over loads again", () => {
  expect(shown([{ turns }, { isLoaded: false }, { isLoaded: false, turns }])).toEqual([
    true,
    false,
    true,
  ]);
});
