import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pageSurroundings } from "@/lib/page-surroundings";
import { isLoaded, SessionClient } from "@/session/session-client";
import { connected, FrameWriter, SESSION, TURN } from "@/test/builders";
import { type FakeGateway, fakeGateway } from "@/test/fake-gateway";
import { hideTab } from "@/test/hidden-tab";

let gateway: FakeGateway;
let client: SessionClient;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  sessionStorage.clear();
  gateway = fakeGateway();
  client = new SessionClient(SESSION, pageSurroundings());
  client.open();
});

afterEach(() => {
  client.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function view() {
  vi.advanceTimersToNextFrame();
  return client.store.getState();
}

describe("a socket", () => {
  it("opens at the page's own origin, without a cursor at first", () => {
    expect(gateway.socket.url).toBe(`ws://localhost:3000/ws?session_id=${SESSION}`);
  });

  it("resumes from the last event, also from one that is not on the screen yet", () => {
    const write = new FrameWriter();
    gateway.socket.open(connected(), write.message(), write.started());
    gateway.socket.end();
    vi.advanceTimersByTime(1000);
    expect(gateway.socket.query.get("last_event_id")).toBe("7-2");
    expect(view().session.turns).toHaveLength(1);
  });

  it("comes back without a cursor after a reset that found an empty log", () => {
    gateway.socket.open(connected(), new FrameWriter().message());
    gateway.socket.say(connected({ reset: true }));
    gateway.socket.end();
    vi.advanceTimersByTime(1000);
    expect(gateway.socket.query.has("last_event_id")).toBe(false);
    expect(view().session.turns).toEqual([]);
  });

  it("that is no longer the current one is not listened to", () => {
    const old = gateway.socket;
    old.open(connected());
    old.end();
    vi.advanceTimersByTime(1000);
    old.say(new FrameWriter().message());
    old.end();
    expect(view().session.turns).toEqual([]);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("is not opened again once the client is closed", () => {
    gateway.socket.open(connected());
    client.close();
    expect(gateway.socket.isClosed).toBe(true);
    gateway.socket.end();
    window.dispatchEvent(new Event("online"));
    client.retryNow();
    vi.advanceTimersByTime(120_000);
    expect(gateway.sockets).toHaveLength(1);
  });
});

describe("frames", () => {
  it("are painted together, at the next animation frame", () => {
    const seen: number[] = [];
    client.store.subscribe(({ session }) => seen.push(session.turns[0]?.items.length ?? 0));
    const write = new FrameWriter();
    gateway.socket.open(connected());
    seen.length = 0;
    gateway.socket.say(write.message(), write.started(), write.toolCall(), write.toolResult());
    expect(seen).toEqual([]);
    vi.advanceTimersToNextFrame();
    expect(seen).toEqual([2]);
  });

  it("are taken four times a second while the tab is hidden", () => {
    hideTab(true);
    gateway.socket.open(connected(), new FrameWriter().message());
    expect(client.store.getState().session.turns).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(client.store.getState().session.turns).toHaveLength(1);
  });

  it("that wait for an animation frame are taken when the tab is hidden", () => {
    gateway.socket.open(connected(), new FrameWriter().message());
    hideTab(true);
    expect(client.store.getState().session.turns).toHaveLength(1);
  });

  it("of nobody are passed over, and the next is taken", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    gateway.socket.open(connected());
    for (const data of ["{", "[]", '"text"', "null", "7", '{"type":7}', new Blob()]) {
      gateway.socket.sayText(data);
    }
    gateway.socket.say(new FrameWriter().message());
    expect(view().session.turns).toHaveLength(1);
    expect(warn).toHaveBeenCalledTimes(7);
  });

  it("up to the head are history: the page is loaded when it is reached", () => {
    const write = new FrameWriter();
    gateway.socket.open(connected({ head: "7-2" }), write.message());
    expect(isLoaded(view().session)).toBe(false);
    gateway.socket.say(write.started());
    expect(isLoaded(view().session)).toBe(true);
  });
});

describe("a stop", () => {
  it("is said again on the next socket until the turn is over", () => {
    const write = new FrameWriter();
    gateway.socket.open(connected(), write.message(), write.started());
    client.stop(TURN);
    const stop = { type: "cancel", session_id: SESSION, turn_id: TURN };
    expect(gateway.socket.said).toEqual([stop]);
    gateway.socket.end();
    vi.advanceTimersByTime(1000);
    gateway.socket.open(connected({ resumed: true }));
    expect(gateway.socket.said).toEqual([stop]);
    gateway.socket.say(write.finished({ status: "cancelled" }));
    gateway.socket.end();
    vi.advanceTimersByTime(2000);
    gateway.socket.open(connected({ resumed: true }));
    expect(gateway.socket.said).toEqual([]);
  });

  it("of a turn that was over is no error, and the others are said again", () => {
    const write = new FrameWriter();
    gateway.socket.open(connected());
    for (const turnId of ["over", "running"]) client.stop(turnId);
    const error = { turn_id: "over", code: "unknown_turn", error: "There is no such turn." };
    gateway.socket.say(write.finished({ turn_id: "over" }));
    gateway.socket.say({ type: "error", session_id: SESSION, ...error });
    expect(view().error).toBeNull();
    gateway.socket.end();
    client.retryNow();
    gateway.socket.open(connected({ resumed: true }));
    expect(gateway.socket.said.map((frame) => frame.turn_id)).toEqual(["running"]);
  });
});

describe("the clock's skew", () => {
  it("is taken at the moment of arrival, not of painting", () => {
    hideTab(true);
    gateway.socket.open(connected({ server_time: new Date().toISOString() }));
    vi.advanceTimersByTime(250);
    expect(client.store.getState().session.clockSkewMs).toBe(0);
  });
});
