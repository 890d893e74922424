import { act, renderHook } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { useWebSocket, type WebSocketSession } from "@/hooks/use-web-socket";
import { connected, FrameWriter, SESSION } from "@/test/builders";
import { type FakeGateway, fakeGateway } from "@/test/fake-gateway";

let gateway: FakeGateway;

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  gateway = fakeGateway();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function paint(): void {
  act(() => {
    vi.advanceTimersToNextFrame();
  });
}

describe("useWebSocket", () => {
  it("has what the requirements name", () => {
    expectTypeOf<WebSocketSession>().toHaveProperty("isConnected").toEqualTypeOf<boolean>();
    expectTypeOf<WebSocketSession["sendMessage"]>().toBeCallableWith("hello");
    expectTypeOf<WebSocketSession>().toHaveProperty("messages");
    expectTypeOf<WebSocketSession>().toHaveProperty("telemetryEvents");
    expectTypeOf<WebSocketSession>().toHaveProperty("error");
  });

  it("shows the session: its messages, its telemetry, how it is connected", () => {
    const { result } = renderHook(() => useWebSocket(SESSION));
    expect(result.current).toMatchObject({ isConnected: false, isLoaded: false, messages: [] });
    const write = new FrameWriter();
    act(() => gateway.socket.open(connected({ head: "7-3" })));
    expect(result.current).toMatchObject({ isConnected: true, isLoaded: false });
    act(() => gateway.socket.say(write.message(), write.started(), write.toolCall()));
    paint();
    expect(result.current.isLoaded).toBe(true);
    expect(result.current.messages.map((message) => message.role)).toEqual(["user", "assistant"]);
    expect(result.current.telemetryEvents.map((item) => item.kind)).toEqual([
      "attempt",
      "tool_call",
    ]);
  });

  it("shows an own message at once, and the same message once it is in the log", () => {
    const { result } = renderHook(() => useWebSocket(SESSION));
    let id = "";
    act(() => {
      id = result.current.sendMessage("hello");
    });
    expect(result.current.messages).toMatchObject([{ id, content: "hello", role: "user" }]);
    act(() => gateway.socket.open(connected()));
    act(() => gateway.socket.say(new FrameWriter().message({ turn_id: id, message_id: id })));
    paint();
    expect(result.current.messages.map((message) => message.id)).toEqual([id, `${id}/answer`]);
  });

  it("keeps the messages of a turn that has not changed as they are", () => {
    const { result } = renderHook(() => useWebSocket(SESSION));
    const write = new FrameWriter();
    act(() => gateway.socket.open(connected()));
    act(() => gateway.socket.say(write.message(), write.started(), write.finished()));
    paint();
    const before = result.current.messages;
    act(() => gateway.socket.say(write.message({ turn_id: "t2", message_id: "t2" })));
    paint();
    expect(result.current.messages.slice(0, 2).every((m, index) => m === before[index])).toBe(true);
    expect(result.current.messages).toHaveLength(4);
  });

  it("opens one socket at a time under StrictMode, and none after it is unmounted", () => {
    const { unmount } = renderHook(() => useWebSocket(SESSION), { wrapper: StrictMode });
    expect(gateway.sockets.filter((socket) => !socket.isClosed)).toHaveLength(1);
    unmount();
    vi.advanceTimersByTime(120_000);
    expect(gateway.sockets.filter((socket) => !socket.isClosed)).toEqual([]);
  });

  it("follows another session with a socket and a state of its own", () => {
    const { result, rerender } = renderHook(({ id }) => useWebSocket(id), {
      initialProps: { id: SESSION },
    });
    act(() => gateway.socket.open(connected(), new FrameWriter().message()));
    paint();
    const first = gateway.socket;
    rerender({ id: "another" });
    expect(first.isClosed).toBe(true);
    expect(gateway.socket.query.get("session_id")).toBe("another");
    expect(result.current.messages).toEqual([]);
    act(() => first.say(new FrameWriter().message({ turn_id: "late" })));
    paint();
    expect(result.current.messages).toEqual([]);
  });
});
