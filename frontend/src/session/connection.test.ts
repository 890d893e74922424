import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pageSurroundings } from "@/lib/page-surroundings";
import { SessionClient } from "@/session/session-client";
import { connected, SESSION } from "@/test/builders";
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
      () => hideTab(false),
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

  it("after 1008 is not tried again until the user asks", () => {
    gateway.socket.open(connected());
    gateway.socket.end(1008);
    vi.advanceTimersByTime(120_000);
    hideTab(false);
    window.dispatchEvent(new Event("online"));
    expect(gateway.sockets).toHaveLength(1);
    expect(view().connection).toMatchObject({ state: "disconnected", reason: "refused" });
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

  it("asks again in the next outage, and forgets what the one before was about", async () => {
    gateway = fakeGateway(null);
    client.close();
    client.open();
    gateway.socket.end();
    await vi.advanceTimersByTimeAsync(1000);
    gateway.socket.open(connected());
    gateway.socket.end();
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: null });
    await vi.advanceTimersByTimeAsync(2000);
    gateway.socket.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(view().connection.reason).toBe("unreachable");
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("says `offline` for as long as the machine is, and no longer", async () => {
    gateway = fakeGateway(null);
    client.close();
    client.open();
    const onLine = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    gateway.socket.end();
    expect(view().connection.reason).toBe("offline");
    expect(fetch).not.toHaveBeenCalled();
    onLine.mockReturnValue(true);
    window.dispatchEvent(new Event("online"));
    gateway.socket.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(view().connection.reason).toBe("unreachable");
  });

  it("is not explained by an answer that came after the gateway had refused the tab", async () => {
    const answers: ((answer: Response) => void)[] = [];
    vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => answers.push(resolve)));
    gateway.socket.end();
    vi.advanceTimersByTime(1000);
    gateway.socket.end(1008);
    answers[0]?.(new Response(null, { status: 503 }));
    await vi.advanceTimersByTimeAsync(0);
    expect(view().connection).toMatchObject({ state: "disconnected", reason: "refused" });
  });

  it("is tried with a new socket when the user asks, whatever the old one is doing", () => {
    const handshaking = gateway.socket;
    client.retryNow();
    expect(handshaking.isClosed).toBe(true);
    gateway.socket.open(connected());
    client.retryNow();
    expect(gateway.sockets).toHaveLength(2);
    const status = { session_id: SESSION, status: "reconnecting", head: null };
    gateway.socket.say({ type: "connection", ...status });
    const withoutRedis = gateway.socket;
    client.retryNow();
    expect(withoutRedis.isClosed).toBe(true);
    expect(gateway.sockets).toHaveLength(3);
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: null });
  });

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
