import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pageSurroundings } from "@/lib/page-surroundings";
import { SessionClient } from "@/session/session-client";
import { connected, FrameWriter, SESSION } from "@/test/builders";
import { type FakeGateway, fakeGateway } from "@/test/fake-gateway";

let gateway: FakeGateway;
let client: SessionClient;

beforeEach(() => {
  vi.useFakeTimers();
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

function outbox() {
  vi.advanceTimersToNextFrame();
  return client.store.getState().outbox;
}

function reconnect(): void {
  gateway.socket.end();
  client.retryNow();
  gateway.socket.open(connected({ resumed: true }));
}

function anError(fields: Record<string, unknown>) {
  return { type: "error", session_id: SESSION, error: "No.", retryable: false, ...fields };
}

describe("a message", () => {
  it("is said at once, and pending until the log shows it", () => {
    gateway.socket.open(connected());
    const id = client.sendMessage("hello");
    expect(gateway.socket.said).toEqual([
      { type: "message", session_id: SESSION, content: "hello", message_id: id },
    ]);
    expect(outbox()).toMatchObject([{ id, content: "hello", state: "sent" }]);
    gateway.socket.say(new FrameWriter().message({ turn_id: id, message_id: id }));
    expect(outbox()).toEqual([]);
    expect(client.store.getState().session.turns.map((turn) => turn.id)).toEqual([id]);
  });

  it("that was typed without a connection is said once there is one, in order", () => {
    const ids = [client.sendMessage("one"), client.sendMessage("two")];
    expect(outbox().map((message) => message.state)).toEqual(["waiting", "waiting"]);
    gateway.socket.open();
    expect(gateway.socket.said).toEqual([]);
    gateway.socket.say(connected());
    expect(gateway.socket.said.map((frame) => frame.message_id)).toEqual(ids);
  });

  it("that no echo answered is said again after a reconnect, with the same id", () => {
    gateway.socket.open(connected());
    const id = client.sendMessage("hello");
    gateway.socket.end();
    expect(outbox()).toMatchObject([{ state: "waiting" }]);
    client.retryNow();
    gateway.socket.open(connected({ resumed: true }));
    expect(gateway.socket.said.map((frame) => frame.message_id)).toEqual([id]);
  });

  it("that was shown is not said again", () => {
    gateway.socket.open(connected());
    const id = client.sendMessage("hello");
    gateway.socket.say(new FrameWriter().message({ turn_id: id, message_id: id }));
    reconnect();
    expect(gateway.socket.said).toEqual([]);
  });

  it("that was refused keeps the reason, until the user says it again or gives it up", () => {
    gateway.socket.open(connected());
    const id = client.sendMessage("hello");
    gateway.socket.say(anError({ message_id: id, code: "too_many", retryable: true }));
    expect(outbox()).toMatchObject([
      { state: "refused", error: { code: "too_many", error: "No.", isRetryable: true } },
    ]);
    reconnect();
    expect(gateway.socket.said).toEqual([]);
    client.retryMessage(id);
    expect(gateway.socket.said.map((frame) => frame.message_id)).toEqual([id]);
    expect(outbox()).toMatchObject([{ state: "sent", error: null }]);
    client.dropMessage(id);
    expect(outbox()).toEqual([]);
  });

  it("that Redis was away for is said again when the gateway has it back", () => {
    gateway.socket.open(connected());
    const id = client.sendMessage("hello");
    gateway.socket.say(anError({ message_id: id, code: "unavailable", retryable: true }));
    expect(outbox()).toMatchObject([{ state: "refused" }]);
    gateway.socket.say(connected({ resumed: true }));
    expect(gateway.socket.said.map((frame) => frame.message_id)).toEqual([id, id]);
  });

  it("that was too big is refused alone, and the others go with the next socket", () => {
    gateway.socket.open(connected());
    const small = client.sendMessage("small");
    client.sendMessage("big".repeat(100));
    gateway.socket.end(1009);
    expect(outbox()).toMatchObject([
      { id: small },
      { state: "refused", error: { code: "too_big" } },
    ]);
    client.retryNow();
    gateway.socket.open(connected());
    expect(gateway.socket.said.map((frame) => frame.message_id)).toEqual([small]);
  });

  it("survives a reload before it was shown", () => {
    const id = client.sendMessage("hello");
    client.close();
    client = new SessionClient(SESSION, pageSurroundings());
    expect(outbox()).toMatchObject([{ id, content: "hello", state: "waiting" }]);
    client.open();
    gateway.socket.open(connected());
    expect(gateway.socket.said.map((frame) => frame.message_id)).toEqual([id]);
  });

  it("that was refused is not said again by a reload", () => {
    gateway.socket.open(connected());
    const id = client.sendMessage("hello");
    gateway.socket.say(anError({ message_id: id, code: "too_many", retryable: true }));
    expect(outbox()).toMatchObject([{ state: "refused" }]);
    client.close();
    client = new SessionClient(SESSION, pageSurroundings());
    client.open();
    gateway.socket.open(connected());
    expect(gateway.socket.said).toEqual([]);
    expect(outbox()).toMatchObject([{ id, state: "refused", error: { code: "too_many" } }]);
  });

  it("typed into a client that was closed and opened again waits for its connection", () => {
    gateway.socket.open(connected());
    client.close();
    client.open();
    client.sendMessage("hello");
    expect(gateway.socket.said).toEqual([]);
  });

  it("is pending beside at most a hundred others", () => {
    for (let count = 0; count <= 100; count += 1) client.sendMessage("hello");
    expect(outbox().at(-2)?.state).toBe("waiting");
    expect(outbox().at(-1)).toMatchObject({ state: "refused", error: { code: "too_many" } });
  });
});

describe("the tab's own storage", () => {
  it.each([
    "{",
    "7",
    '[{"id":1}]',
    '[null, "x"]',
    '[{"id":"a","content":"b","at":1,"state":"refused"}]',
  ])("with %j in it is an empty outbox", (stored) => {
    sessionStorage.setItem(`fanline-outbox:${SESSION}`, stored);
    expect(new SessionClient(SESSION, pageSurroundings()).store.getState().outbox).toEqual([]);
  });

  it("that cannot be used keeps no message from being sent", () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    gateway.socket.open(connected());
    client.sendMessage("hello");
    expect(gateway.socket.said).toHaveLength(1);
  });
});

describe("an error of this socket that belongs to no message", () => {
  it("is shown until it is dismissed", () => {
    gateway.socket.open(connected(), anError({ code: "bad_frame" }));
    outbox();
    expect(client.store.getState().error).toMatchObject({ code: "bad_frame", error: "No." });
    client.dismissError();
    expect(client.store.getState().error).toBeNull();
  });
});
