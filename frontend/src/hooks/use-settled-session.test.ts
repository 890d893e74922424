import { renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { useSettledSession } from "@/hooks/use-settled-session";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import { messagesOf } from "@/session/messages";
import { FrameWriter, stateAfter, TURN } from "@/test/builders";

const { turns } = stateAfter([new FrameWriter().message()]);

function aSession(fields: Partial<WebSocketSession>): WebSocketSession {
  const nothing = (): void => undefined;
  return {
    isConnected: true,
    connection: { state: "connected", reason: null, reconnects: 0 },
    isLoaded: true,
    head: null,
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

it("a session that starts over stays on screen until it is whole again", () => {
  const { result, rerender } = renderHook(useSettledSession, { initialProps: aSession({ turns }) });
  const old = result.current.turns;
  rerender(aSession({ isLoaded: false }));
  expect(result.current).toMatchObject({ isLoaded: true, turns: old });
  const other = stateAfter([new FrameWriter(8).message({ turn_id: "another" })]).turns;
  rerender(aSession({ isLoaded: false, turns: other }));
  expect(result.current.turns).toBe(old);
  rerender(aSession({ turns: other }));
  expect(result.current.turns).toBe(other);
  rerender(aSession({}));
  expect(result.current).toMatchObject({ isLoaded: true, turns: [] });
});

it("a session that resumes shows what comes as it comes", () => {
  const page = renderHook(useSettledSession, { initialProps: aSession({ turns }) });
  const more = [...turns, ...stateAfter([new FrameWriter().message({ turn_id: "another" })]).turns];
  page.rerender(aSession({ isLoaded: false, turns: more }));
  expect(page.result.current.turns).toBe(more);
});

it("what waits to be sent is on screen while the session starts over", () => {
  const pending = { id: "p", content: "hello", at: 0, state: "waiting", error: null } as const;
  const page = renderHook(useSettledSession, {
    initialProps: aSession({ turns, messages: messagesOf(turns, []) }),
  });
  page.rerender(aSession({ isLoaded: false, messages: messagesOf([], [pending]) }));
  expect(page.result.current.messages.map(({ id }) => id)).toEqual([TURN, `${TURN}/answer`, "p"]);
});

it("a session that may not be read does not stay on screen, and is shown again when it may", () => {
  const forbidden = { state: "disconnected", reason: "forbidden", reconnects: 1 } as const;
  const waiting = { state: "reconnecting", reason: "unreachable", reconnects: 1 } as const;
  expect(
    shown([
      { turns },
      { isLoaded: false, connection: forbidden },
      { isLoaded: false, connection: waiting },
      { turns },
    ]),
  ).toEqual([true, false, false, true]);
});
