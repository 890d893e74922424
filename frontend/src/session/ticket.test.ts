import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pageSurroundings } from "@/lib/page-surroundings";
import { SessionClient } from "@/session/session-client";
import { connected, FrameWriter, SESSION } from "@/test/builders";
import { type FakeGateway, fakeGateway } from "@/test/fake-gateway";
import { hideTab } from "@/test/hidden-tab";
import { writeMeta } from "@/test/write-meta";

let gateway: FakeGateway;
let client: SessionClient;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  sessionStorage.clear();
  writeMeta("auth-mode", "jwt");
  gateway = fakeGateway();
  client = new SessionClient(SESSION, pageSurroundings());
});

afterEach(() => {
  client.close();
  writeMeta("auth-mode", null);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Opens the session, whose first requests for a ticket are answered so. */
async function open(...answers: (Response | Promise<Response>)[]): Promise<void> {
  gateway.answers.push(...answers);
  client.open();
  await pass(0);
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function refusal(status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ detail: "No." }, { status, headers });
}

/** A proxy's redirect to its own page, as a browser hides it; none can be constructed. */
function opaqueRedirect(): Response {
  const hidden = { type: "opaqueredirect", status: 0, ok: false, text: async () => "" };
  return { ...Response.error(), headers: new Headers(), ...hidden } as Response;
}

function view() {
  vi.advanceTimersToNextFrame();
  return client.store.getState();
}

describe("a ticket", () => {
  it("is asked for before every socket, for this session, and used once", async () => {
    await open();
    for (const number of [1, 2, 3]) {
      expect(gateway.sockets).toHaveLength(number);
      expect(gateway.socket.query.getAll("ticket")).toEqual([`ticket-${number}`]);
      gateway.socket.open(connected());
      gateway.socket.end();
      await pass(4000);
    }
    expect(gateway.asked[0]).toMatchObject({ method: "POST", credentials: "same-origin" });
    expect(JSON.parse(String(gateway.asked[0]?.body))).toEqual({ session_id: SESSION });
  });

  it.each(["none", "__AUTH_MODE__", null])("is not asked for with the mode %j", async (mode) => {
    writeMeta("auth-mode", mode);
    await open();
    expect(gateway.sockets.map(({ query }) => query.has("ticket"))).toEqual([false]);
    expect(fetch).not.toHaveBeenCalled();
  });

  it("that comes after the session was left opens nothing", async () => {
    let give = (_: Response): void => undefined;
    await open(new Promise((resolve) => (give = resolve)));
    client.close();
    expect(gateway.asked[0]?.signal?.aborted).toBe(true);
    give(Response.json({ ticket: "late" }));
    await pass(60_000);
    expect([gateway.sockets.length, gateway.asked.length]).toEqual([0, 1]);
  });

  it("that does not come in time is asked for again, and not sooner", async () => {
    await open(new Promise(() => undefined));
    hideTab(false);
    window.dispatchEvent(new Event("online"));
    await pass(9999);
    expect(gateway.asked).toHaveLength(1);
    await pass(1);
    expect(gateway.asked[0]?.signal?.aborted).toBe(true);
    await pass(1000);
    expect(gateway.socket.query.get("ticket")).toBe("ticket-2");
  });

  it("is not needed where the gateway has come to know none", async () => {
    await open(refusal(404));
    expect(gateway.socket.query.has("ticket")).toBe(false);
  });
});

describe("a token that is over", () => {
  it("is replaced at once, and the session resumes", async () => {
    await open();
    gateway.socket.open(connected(), new FrameWriter().message());
    gateway.socket.end(4401);
    await pass(0);
    expect(gateway.socket.query.get("ticket")).toBe("ticket-2");
    expect(gateway.socket.query.get("last_event_id")).toBe("7-1");
    gateway.socket.open(connected({ resumed: true }));
    expect(view()).toMatchObject({ connection: { state: "connected", reconnects: 1 } });
    expect(view().session.turns).toHaveLength(1);
  });

  it("again and again makes no busy loop, unless it was good for a while", async () => {
    await open();
    const waits: number[] = [];
    for (const openMs of [0, 0, 0, 6000, 0]) {
      gateway.socket.open(connected());
      await pass(openMs);
      gateway.socket.end(4401);
      const before = gateway.sockets.length;
      const at = Date.now();
      await pass(0);
      while (gateway.sockets.length === before) await pass(500);
      waits.push(Math.round((Date.now() - at) / 1000));
    }
    expect(waits).toEqual([0, 2, 4, 0, 2]);
  });
});

describe("nobody who is signed in", () => {
  it.each([
    ["says the gateway", refusal(401)],
    ["says a proxy", opaqueRedirect()],
  ])("%s: nothing is tried by itself", async (_, answer) => {
    await open(answer);
    expect(view().connection).toMatchObject({ state: "disconnected", reason: "unauthorized" });
    await pass(600_000);
    window.dispatchEvent(new Event("online"));
    await pass(0);
    expect([gateway.sockets.length, gateway.asked.length]).toEqual([0, 1]);
  });

  it("is noticed to have signed in elsewhere, when the tab is looked at", async () => {
    await open(refusal(401), refusal(401));
    const shown: string[] = [];
    client.store.subscribe(({ connection }) => shown.push(connection.state));
    hideTab(true);
    hideTab(false);
    await pass(0);
    expect(gateway.asked).toHaveLength(2);
    expect(shown).toEqual(["disconnected"]);
    hideTab(false);
    await pass(0);
    gateway.socket.open(connected());
    expect(view().connection).toMatchObject({ state: "connected", reason: null });
  });

  it("may try again, and the reason stands until there is an answer", async () => {
    await open(refusal(401));
    client.retryNow();
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: "unauthorized" });
    await pass(0);
    gateway.socket.open(connected());
    expect(view().connection).toMatchObject({ state: "connected", reason: null });
  });

  it("loses nothing that was written, and the log stays on the screen", async () => {
    await open();
    gateway.socket.open(connected(), new FrameWriter().message());
    gateway.answers.push(refusal(401));
    gateway.socket.end(4401);
    await pass(0);
    const id = client.sendMessage("kept");
    expect(view()).toMatchObject({ outbox: [{ id, state: "waiting" }] });
    expect(view().session.turns).toHaveLength(1);
    client.retryNow();
    await pass(0);
    gateway.socket.open(connected({ resumed: true }));
    expect(gateway.socket.said).toMatchObject([{ content: "kept", message_id: id }]);
  });
});

describe("somebody who may not open the session", () => {
  it("is not tried again until they ask, whatever they look at", async () => {
    await open(refusal(403));
    expect(view().connection).toMatchObject({ state: "disconnected", reason: "forbidden" });
    hideTab(false);
    await pass(600_000);
    expect(gateway.asked).toHaveLength(1);
  });

  it("finds nothing of what another could read, but what this tab has still to say", async () => {
    await open();
    gateway.socket.open(connected({ head: "7-1" }), new FrameWriter().message());
    const id = client.sendMessage("kept");
    gateway.answers.push(refusal(403));
    gateway.socket.end(4401);
    await pass(0);
    expect(view()).toMatchObject({ session: { turns: [], cursor: null }, outbox: [{ id }] });
    gateway.answers.push(Promise.reject(new TypeError("Failed to fetch")));
    client.retryNow();
    await pass(0);
    expect(view()).toMatchObject({ session: { turns: [] }, connection: { reason: "unreachable" } });
    await pass(2000);
    expect(gateway.socket.query.has("last_event_id")).toBe(false);
    gateway.socket.open(connected({ head: "7-1" }), new FrameWriter().message());
    expect(view().session.turns).toHaveLength(1);
  });
});

describe("a gateway that gives no ticket now", () => {
  it.each([
    ["7", 8000],
    ["0", 1000],
    ["999999", 301_000],
    ["soon", 1000],
    [null, 1000],
  ])("because of too many requests is asked again after what it says: %j", async (after, ms) => {
    await open(refusal(429, after === null ? {} : { "Retry-After": after }));
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: "limited" });
    const begun = Date.now();
    while (gateway.asked.length === 1) await pass(100);
    expect(Math.round((Date.now() - begun) / 1000)).toBe(ms / 1000);
  });

  it.each([
    ["503", refusal(503), "unavailable"],
    ["502", new Response("<html>", { status: 502 }), "unavailable"],
    ["400", refusal(400), "refused"],
    ["something else", new Response("<html>", { status: 200 }), "unreachable"],
    ["no ticket", Response.json({}), "unreachable"],
  ])("but %s is asked again, later each time", async (_, answer, reason) => {
    await open(answer, answer.clone());
    expect(view().connection).toMatchObject({ state: "reconnecting", reason });
    await pass(1000);
    expect(gateway.asked).toHaveLength(2);
    await pass(1900);
    expect(gateway.asked).toHaveLength(2);
    await pass(100);
    expect(gateway.sockets).toHaveLength(1);
    expect(fetch).not.toHaveBeenCalledWith("http://localhost:3000/readyz", expect.anything());
  });

  it("because nobody is there is asked again, and asked nothing else", async () => {
    await open(Promise.reject(new TypeError("Failed to fetch")));
    expect(view().connection).toMatchObject({ state: "reconnecting", reason: "unreachable" });
    await pass(1000);
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});
