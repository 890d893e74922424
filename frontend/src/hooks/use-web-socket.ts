/** The session as React sees it: a thin binding over the session's own store. */
import { useEffect, useMemo } from "react";
import { useStore } from "zustand";
import { pageSurroundings } from "@/lib/page-surroundings";
import type { Position } from "@/protocol/position";
import { type Message, messagesOf } from "@/session/messages";
import { isLoaded, SessionClient } from "@/session/session-client";
import type { ConnectionView, Id, SocketError, TelemetryItem, Turn } from "@/session/state";
import { telemetryOf } from "@/session/telemetry";

export type WebSocketSession = {
  readonly isConnected: boolean;
  readonly connection: ConnectionView;
  /** What the log had when this tab opened is shown; until then the page is loading. */
  readonly isLoaded: boolean;
  /** What the log ended with when the socket opened: what comes after it is live. */
  readonly head: Position | null;
  readonly isTruncated: boolean;
  readonly clockSkewMs: number;
  readonly turns: readonly Turn[];
  /** Events that belong to no turn. */
  readonly strays: readonly TelemetryItem[];
  readonly messages: readonly Message[];
  readonly telemetryEvents: readonly TelemetryItem[];
  /** What the gateway last found wrong, that belongs to no message. */
  readonly error: SocketError | null;
  /** Sends, now or when there is a connection; returns the message's id, which is its turn's. */
  readonly sendMessage: (content: string) => Id;
  readonly stop: (turnId: Id) => void;
  /** Say a refused message again. */
  readonly retryMessage: (messageId: Id) => void;
  /** Give a message up that the log does not have. */
  readonly dropMessage: (messageId: Id) => void;
  readonly retryNow: () => void;
  readonly dismissError: () => void;
};

/**
 * Follows the session for as long as the component is mounted, over any number of sockets. Another
 * `sessionId` is another session: nothing of the one before is left.
 */
export function useWebSocket(sessionId: string): WebSocketSession {
  const client = useMemo(() => new SessionClient(sessionId, pageSurroundings()), [sessionId]);
  useEffect(() => {
    client.open();
    return () => client.close();
  }, [client]);
  const { session, outbox, connection, error } = useStore(client.store);
  const { turns, strays } = session;
  const messages = useMemo(() => messagesOf(turns, outbox), [turns, outbox]);
  const telemetryEvents = useMemo(() => telemetryOf(turns, strays), [turns, strays]);
  return {
    isConnected: connection.state === "connected",
    connection,
    isLoaded: isLoaded(session),
    head: session.head,
    isTruncated: session.isTruncated,
    clockSkewMs: session.clockSkewMs,
    turns,
    strays,
    messages,
    telemetryEvents,
    error,
    sendMessage: client.sendMessage,
    stop: client.stop,
    retryMessage: client.retryMessage,
    dropMessage: client.dropMessage,
    retryNow: client.retryNow,
    dismissError: client.dismissError,
  };
}
