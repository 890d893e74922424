/** For the tests of the chat: a session as the hook gives it, made of frames. */
import { vi } from "vitest";
import type { WebSocketSession } from "@/hooks/use-web-socket";
import type { Frame } from "@/protocol/guard";
import { messagesOf } from "@/session/messages";
import type { PendingMessage, SessionState, Turn } from "@/session/state";
import { FrameWriter, START, stateAfter } from "@/test/builders";

/** The state after the frames that `write` makes; with `before`, after those on top of it. */
export function stateOf(
  write: (writer: FrameWriter) => readonly Frame[],
  before?: SessionState,
): SessionState {
  const last = before?.cursor?.seq ?? 0;
  const writer = new FrameWriter();
  for (let seq = 0; seq < last; seq += 1) writer.event("skipped");
  return stateAfter(write(writer), before);
}

/** The one turn that these frames make. */
export function turnOf(write: (writer: FrameWriter) => readonly Frame[]): Turn {
  const turn = stateOf(write).turns[0];
  if (turn === undefined) throw new Error("no frame made a turn");
  return turn;
}

export function aPending(fields: Partial<PendingMessage> = {}): PendingMessage {
  return { id: "pending-1", content: "hello", at: START, state: "waiting", error: null, ...fields };
}

/** A session in this state, with functions that only note that they were called. */
export function aSession(
  state: SessionState,
  { outbox = [], ...fields }: Partial<WebSocketSession> & { outbox?: PendingMessage[] } = {},
): WebSocketSession {
  return {
    isConnected: true,
    connection: { state: "connected", reason: null, reconnects: 0 },
    isLoaded: true,
    head: state.head,
    isTruncated: state.isTruncated,
    clockSkewMs: 0,
    turns: state.turns,
    strays: state.strays,
    messages: messagesOf(state.turns, outbox),
    telemetryEvents: [],
    error: null,
    sendMessage: vi.fn(() => "sent-1"),
    stop: vi.fn(),
    retryMessage: vi.fn(),
    dropMessage: vi.fn(),
    retryNow: vi.fn(),
    dismissError: vi.fn(),
    ...fields,
  };
}
