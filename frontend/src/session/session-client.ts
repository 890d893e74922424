/**
 * One tab of one session: the connection, the outbox and the state, in one store.
 *
 * The echo in the log is the only truth: what this tab says shows as pending until then, and tabs
 * converge because each reduces the same events.
 */
import { createStore } from "zustand/vanilla";
import type { ClientFrame } from "@/protocol/events.gen";
import { comparePositions, formatPosition } from "@/protocol/position";
import { Connection } from "@/session/connection";
import { type Arrival, FrameBuffer } from "@/session/frame-buffer";
import { newId } from "@/session/new-id";
import { Outbox } from "@/session/outbox";
import { applyFrame } from "@/session/reducer";
import {
  type ConnectionView,
  EMPTY_SESSION,
  type Id,
  type PendingMessage,
  type SessionState,
  type SocketError,
} from "@/session/state";
import type { Surroundings } from "@/session/surroundings";

export type SessionView = {
  readonly session: SessionState;
  readonly outbox: readonly PendingMessage[];
  readonly connection: ConnectionView;
  /** What the gateway last found wrong, that belongs to no message. */
  readonly error: SocketError | null;
};

export class SessionClient {
  private readonly outbox: Outbox;
  private readonly buffer: FrameBuffer;
  private readonly connection: Connection;
  readonly store;

  constructor(
    private readonly sessionId: string,
    private readonly surroundings: Surroundings,
  ) {
    this.buffer = new FrameBuffer(surroundings.schedule, (arrivals) => this.apply(arrivals));
    this.outbox = new Outbox(sessionId, surroundings.storage);
    this.store = createStore<SessionView>(() => ({
      session: EMPTY_SESSION,
      outbox: this.outbox.messages,
      connection: { state: "reconnecting", reason: null, reconnects: 0 },
      error: null,
    }));
    this.connection = new Connection({
      sessionId,
      surroundings,
      address: (ticket) => this.address(ticket),
      onFrame: (frame) => this.buffer.push(frame),
      onConnected: () => this.sayWhatIsDue(),
      onTooBig: () => this.outbox.refuseLargest(),
      onChange: (connection) => this.show(connection),
    });
  }

  open(): void {
    this.connection.open();
  }

  /** Close the socket; the state stays, and `open` goes on from it. */
  close(): void {
    this.connection.close();
    this.buffer.flush();
  }

  /** Say it now, or when there is a connection; returns the message's id, which is its turn's. */
  readonly sendMessage = (content: string): Id => {
    const id = newId();
    this.outbox.addMessage({ id, content, at: Date.now(), state: "waiting", error: null });
    this.sayNew();
    return id;
  };

  readonly stop = (turnId: Id): void => {
    this.outbox.addCancel(turnId);
    this.say({ type: "cancel", session_id: this.sessionId, turn_id: turnId });
  };

  readonly retryMessage = (messageId: Id): void => {
    this.outbox.renew(messageId);
    this.sayNew();
  };

  readonly dropMessage = (messageId: Id): void => {
    this.outbox.drop(messageId);
    this.showOutbox();
  };

  readonly retryNow = (): void => this.connection.retryNow();

  readonly dismissError = (): void => this.store.setState({ error: null });

  private address(ticket: string | null): string {
    this.buffer.flush(); // the cursor includes what has arrived and is not on the screen
    const { cursor } = this.store.getState().session;
    const query = new URLSearchParams({ session_id: this.sessionId });
    if (cursor !== null) query.set("last_event_id", formatPosition(cursor));
    if (ticket !== null) query.set("ticket", ticket);
    return `${this.surroundings.gateway.replace(/^http/, "ws")}/ws?${query}`;
  }

  private apply(arrivals: readonly Arrival[]): void {
    let { session, error } = this.store.getState();
    for (const { frame, at } of arrivals) {
      session = applyFrame(session, frame, at);
      error = this.outbox.settle(frame) ?? error;
    }
    this.store.setState({ session, error, outbox: this.outbox.messages });
  }

  private sayWhatIsDue(): void {
    this.outbox.unsend();
    this.outbox.sayCancels(this.say);
    this.sayNew();
  }

  private sayNew(): void {
    this.outbox.sayMessages(this.say);
    this.showOutbox();
  }

  private readonly say = (frame: ClientFrame): boolean =>
    this.connection.send(JSON.stringify(frame));

  private show(connection: ConnectionView): void {
    if (connection.state !== "connected") this.outbox.unsend();
    this.store.setState({ connection, outbox: this.outbox.messages });
    if (connection.reason === "forbidden") this.forget();
  }

  /** Whoever sits there now may not read it: it stays neither on the screen nor here. The outbox
   * is this tab's own. */
  private forget(): void {
    this.buffer.flush();
    this.store.setState({ session: EMPTY_SESSION, error: null });
  }

  private showOutbox(): void {
    this.store.setState({ outbox: this.outbox.messages });
  }
}

/** Whether everything that the log had when the socket opened has been applied. */
export function isLoaded({ isOpened, head, cursor }: SessionState): boolean {
  return isOpened && (head === null || (cursor !== null && comparePositions(cursor, head) >= 0));
}
