import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isLoaded, SessionClient } from "@/session/session-client";
import { connected, FrameWriter, SESSION, TURN } from "@/test/builders";
import { type FakeGateway, fakeGateway } from "@/test/fake-gateway";

let gateway: FakeGateway;
let client: SessionClient;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  sessionStorage.clear();
  gateway = fakeGateway();
  client = new SessionClient(SESSION);
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

function hide(hidden: boolean) {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  document.dispatchEvent(new Event("visibilitychange"));
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
    hide(true);
    gateway.socket.open(connected(), new FrameWriter().message());
    expect(client.store.getState().session.turns).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(client.store.getState().session.turns).toHaveLength(1);
  });

  it("that wait for an animation frame are taken when the tab is hidden", () => {
    gateway.socket.open(connected(), new FrameWriter().message());
    hide(true);
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

describe("a lost connection", () => {
  it("is tried again after 1, 2, 4 … 30 seconds, for ever, and says so after ten failures", () => {
    const opened: number[] = [];
    const begun = Date.now();
    let states = "";
    for (let failure = 0; failure < 12; failure += 1) {
      gateway.socket.end();
      states += view().connection.state === "disconnected" ? "d" : "r";
      const before = gateway.sockets.length;
      while (gateway.sockets.length === before) vi.advanceTimersByTime(500);
      opened.push(Math.round((Date.now() - begun) / 1000));
    }
    expect(opened.map((at, index) => at - (opened[index - 1] ?? 0))).toEqual([
      1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30,
    ]);
    expect(states).toBe("rrrrrrrrrddd");
  });

  it("begins at one second again only after five seconds of a stable socket", () => {
    const waits: number[] = [];
    for (const openMs of [0, 0, 4000, 6000, 0]) {
      gateway.socket.open(connected());
      vi.advanceTimersByTime(openMs);
      gateway.socket.end();
      const before = gateway.sockets.length;
      const at = Date.now();
      while (gateway.sockets.length === before) vi.advanceTimersByTime(500);
      waits.push(Math.round((Date.now() - at) / 1000));
    }
    expect(waits).toEqual([1, 2, 4, 1, 2]);
    expect(view().connection.reconnects).toBe(5);
  });

  it("is tried at once when the network is back, the tab is looked at, or the user asks", () => {
    for (const [count, ask] of [
      () => window.dispatchEvent(new Event("online")),
      () => hide(false),
      () => client.retryNow(),
    ].entries()) {
      gateway.socket.end();
      ask();
      expect(gateway.sockets).toHaveLength(count + 2);
    }
  });

  it("waits as long as a draining gateway says", () => {
    gateway.socket.open(connected());
    gateway.socket.say({
      type: "connection",
      session_id: SESSION,
      status: "disconnected",
      head: null,
    });
    gateway.socket.end(1012, "300");
    vi.advanceTimersByTime(299);
    expect(gateway.sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(gateway.sockets).toHaveLength(2);
  });

  it.each([
    [1008, "refused"],
    [4401, "unauthorized"],
  ])("after %i is not tried again until the user asks", (code, reason) => {
    gateway.socket.open(connected());
    gateway.socket.end(code);
    vi.advanceTimersByTime(120_000);
    hide(false);
    window.dispatchEvent(new Event("online"));
    expect(gateway.sockets).toHaveLength(1);
    expect(view().connection).toMatchObject({ state: "disconnected", reason });
    client.retryNow();
    expect(gateway.sockets).toHaveLength(2);
  });

  it("is found when not even a heartbeat comes for twice the time that was named", () => {
    gateway.socket.open(connected({ heartbeat_seconds: 1 }));
    vi.advanceTimersByTime(1500);
    gateway.socket.say({ type: "heartbeat", session_id: SESSION, head: null });
    vi.advanceTimersByTime(1900);
    expect(view().connection.state).toBe("connected");
    const silent = gateway.socket;
    vi.advanceTimersByTime(100);
    expect(silent.isClosed).toBe(true);
    expect(view().connection.state).toBe("reconnecting");
  });

  it("is found when a handshake is never answered", () => {
    const silent = gateway.socket;
    vi.advanceTimersByTime(11_000);
    expect(silent.isClosed).toBe(true);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("is shown at once when the machine leaves the network", () => {
    gateway.socket.open(connected());
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    window.dispatchEvent(new Event("offline"));
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: "offline" });
  });

  it.each([
    [200, "refused"],
    [503, "unavailable"],
    [null, "unreachable"],
  ])(
    "that never opened asks once whether the gateway is ready: %s means %s",
    async (status, reason) => {
      gateway = fakeGateway(status);
      client.close();
      client.open();
      gateway.socket.end();
      await vi.advanceTimersByTimeAsync(1000);
      expect(view().connection.reason).toBe(reason);
      gateway.socket.end();
      await vi.advanceTimersByTimeAsync(2000);
      expect(fetch).toHaveBeenCalledTimes(1);
    },
  );

  it("of the gateway to its Redis is shown on the open socket", () => {
    gateway.socket.open(connected());
    gateway.socket.say({
      type: "connection",
      session_id: SESSION,
      status: "reconnecting",
      head: null,
    });
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: "unavailable" });
    gateway.socket.say(connected({ resumed: true }));
    expect(view().connection).toMatchObject({ state: "connected", reason: null });
    expect(gateway.sockets).toHaveLength(1);
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

  it("of a turn that was over is no error", () => {
    gateway.socket.open(connected());
    client.stop(TURN);
    const error = {
      type: "error",
      session_id: SESSION,
      code: "unknown_turn",
      error: "over",
      retryable: false,
    };
    gateway.socket.say(error);
    expect(view().error).toBeNull();
  });
});
