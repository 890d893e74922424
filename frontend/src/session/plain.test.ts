// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerOf, isLoaded, isOver, plainSurroundings, SessionClient } from "@/session/index";
import { connected, FrameWriter, SESSION } from "@/test/builders";
import { FakeSocket } from "@/test/fake-gateway";

/** The session core in a process without a page: nothing of a browser is there, but for what it is given. */

let sockets: FakeSocket[];
let client: SessionClient;

const openSocket = (url: string) => {
  const socket = new FakeSocket(url);
  sockets.push(socket);
  return socket;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  sockets = [];
  vi.stubGlobal(
    "fetch",
    vi.fn(() => Promise.resolve(new Response(null, { status: 503 }))),
  );
  client = new SessionClient(SESSION, plainSurroundings("https://gateway.example", { openSocket }));
});

afterEach(() => {
  client.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function newest(): FakeSocket {
  const socket = sockets.at(-1);
  if (socket === undefined) throw new Error("no socket was opened");
  return socket;
}

describe("without a page", () => {
  it("has nothing that only a page has", () => {
    const globals = ["window", "document", "location", "sessionStorage", "requestAnimationFrame"];
    expect(globals.filter((name) => name in globalThis)).toEqual([]);
  });

  it("asks, reads the answer, and resumes after a lost socket from where it was", async () => {
    client.open();
    expect(newest().url).toBe(`wss://gateway.example/ws?session_id=${SESSION}`);
    newest().open(connected());
    const id = client.sendMessage("hi");
    expect(newest().said).toMatchObject([{ type: "message", content: "hi", message_id: id }]);

    const write = new FrameWriter();
    const ofTurn = { turn_id: id };
    newest().say(write.message(ofTurn), write.started(ofTurn), write.piece("Hel", ofTurn));
    newest().end();
    await vi.advanceTimersByTimeAsync(1000);
    expect(newest().query.get("last_event_id")).toBe("7-3");
    expect(client.store.getState().connection).toMatchObject({ reconnects: 1 });

    newest().open(connected({ resumed: true, head: "7-5" }));
    newest().say(write.text("Hello.", ofTurn), write.finished(ofTurn));
    await vi.advanceTimersByTimeAsync(0);
    const { session, outbox } = client.store.getState();
    expect(outbox).toEqual([]);
    expect(isLoaded(session)).toBe(true);
    expect(session.turns.map((turn) => [isOver(turn.status), answerOf(turn)])).toEqual([
      [true, "Hello."],
    ]);
  });

  it("asks the gateway itself why a handshake failed", async () => {
    client.open();
    newest().end();
    await vi.advanceTimersByTimeAsync(0);
    expect(fetch).toHaveBeenCalledWith("https://gateway.example/readyz", expect.anything());
    expect(client.store.getState().connection.reason).toBe("unavailable");
  });

  it("an error event of a socket is heard, for Node ends the process otherwise", () => {
    client.open();
    expect(newest().onerror).not.toBeNull();
  });

  it("is silent once it is closed, so that the process can end", async () => {
    client.open();
    newest().open(connected());
    client.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(newest().isClosed).toBe(true);
  });
});

describe("with a token", () => {
  it("gets a ticket for each socket with a fresh token, which is in no address", async () => {
    const tokens = ["first", "second"];
    const asked = vi.fn((_url: string, _request: RequestInit) =>
      Promise.resolve(Response.json({ ticket: "a-ticket", expires_in: 30 })),
    );
    vi.stubGlobal("fetch", asked);
    const token = async () => tokens.shift() ?? "";
    const signed = plainSurroundings("https://gateway.example", { openSocket, token });
    client = new SessionClient(SESSION, signed);
    client.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(newest().query.get("ticket")).toBe("a-ticket");
    newest().open(connected());
    newest().end(4401);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.mock.calls.map(([url]) => url)).toEqual([
      "https://gateway.example/tickets",
      "https://gateway.example/tickets",
    ]);
    const said = asked.mock.calls.map(([, request]) => request.headers);
    expect(said).toMatchObject([
      { Authorization: "Bearer first" },
      { Authorization: "Bearer second" },
    ]);
    expect(sockets.map(({ url }) => url).join()).not.toMatch(/first|second/);
  });
});

it("a token that cannot be had now is asked for again, and why is logged", async () => {
  const logged = vi.spyOn(console, "warn").mockReturnValue();
  const failure = new Error("no identity provider");
  const token = vi.fn().mockRejectedValueOnce(failure).mockResolvedValue("a-token");
  client = new SessionClient(
    SESSION,
    plainSurroundings("https://gateway.example", { openSocket, token }),
  );
  client.open();
  await vi.advanceTimersByTimeAsync(0);
  expect(client.store.getState().connection.reason).toBe("unauthorized");
  expect(logged).toHaveBeenCalledWith(expect.any(String), failure);
  await vi.advanceTimersByTimeAsync(1000);
  expect(token).toHaveBeenCalledTimes(2);
});

it("a process without a WebSocket is told to bring one", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(() => plainSurroundings("http://localhost:8000")).toThrow("openSocket");
});
