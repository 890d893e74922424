/**
 * What this tab has said and the log has not shown: said again on every new connection.
 *
 * Saying it again is harmless: a message runs once by its id, and stopping a turn twice stops it
 * once. Kept in the tab's own storage, so that a reload in mid-air loses nothing.
 */
import type { ClientFrame, ErrorMessage } from "@/protocol/events.gen";
import { type Frame, isKnown } from "@/protocol/guard";
import type { Id, PendingMessage, SocketError } from "@/session/state";
import type { Surroundings } from "@/session/surroundings";

/** Of the key under which it is stored; the session's id follows. */
export const OUTBOX_PREFIX = "fanline-outbox:";

/** Messages that may wait for their echo. */
const MOST_MESSAGES = 100;

const TOO_MANY: SocketError = {
  code: "too_many",
  error: "Too many messages wait to be sent.",
  isRetryable: true,
};
const TOO_BIG: SocketError = {
  code: "too_big",
  error: "This message is too big.",
  isRetryable: false,
};

export class Outbox {
  /** In the order in which they were said; a new array whenever one changes. */
  messages: readonly PendingMessage[];
  private cancels: readonly Id[] = [];

  constructor(
    private readonly sessionId: string,
    private readonly storage: Surroundings["storage"],
  ) {
    this.messages = this.read();
    this.unsend();
  }

  /** Keep a message until the log shows it or the user gives it up. */
  addMessage(message: PendingMessage): void {
    const isFull = this.messages.length >= MOST_MESSAGES;
    this.write([...this.messages, isFull ? refused(message, TOO_MANY) : message]);
  }

  /** Keep a stop until its turn is over. */
  addCancel(turnId: Id): void {
    if (!this.cancels.includes(turnId)) this.cancels = [...this.cancels, turnId];
  }

  /** The message is to be said again. */
  renew(messageId: Id): void {
    const message = this.messages.find(({ id }) => id === messageId);
    if (message !== undefined) this.change({ ...message, state: "waiting", error: null });
  }

  drop(messageId: Id): void {
    if (!this.messages.some((message) => message.id === messageId)) return;
    this.write(this.messages.filter((message) => message.id !== messageId));
  }

  /** Nothing of it is known to have arrived: the connection is gone, or another begins. */
  unsend(): void {
    for (const message of this.messages) {
      // What Redis was away for is due again as soon as a gateway has it back.
      if (message.state === "sent" || message.error?.code === "unavailable") this.renew(message.id);
    }
  }

  /** Say the messages that wait, in order. */
  sayMessages(send: (frame: ClientFrame) => boolean): void {
    for (const message of this.messages) {
      if (message.state === "waiting" && send(this.frameOf(message))) {
        this.change({ ...message, state: "sent" });
      }
    }
  }

  /** Say the stops again. */
  sayCancels(send: (frame: ClientFrame) => boolean): void {
    for (const turn_id of this.cancels)
      send({ type: "cancel", session_id: this.sessionId, turn_id });
  }

  /** Forget what this frame answers; an `error` of this socket is kept with its message. Returns
   * the error when it belongs to none. */
  settle(frame: Frame): SocketError | null {
    if (!isKnown(frame)) return null;
    if (frame.type === "message") this.drop(frame.message_id);
    if (frame.type === "turn_finished") this.endCancel(frame.turn_id ?? "");
    return frame.type === "error" && frame.id === undefined ? this.settleError(frame) : null;
  }

  /** The gateway could not take the largest of them: only that one can have been too big. */
  refuseLargest(): void {
    const said = this.messages.filter((message) => message.state !== "refused");
    const [largest] = said.toSorted((a, b) => b.content.length - a.content.length);
    if (largest !== undefined) this.change(refused(largest, TOO_BIG));
  }

  private settleError(frame: ErrorMessage): SocketError | null {
    const error = { code: frame.code, error: frame.error, isRetryable: frame.retryable };
    const meant = this.messages.find((message) => message.id === frame.message_id);
    if (meant !== undefined) {
      this.change(refused(meant, error));
      return null;
    }
    if (frame.code !== "unknown_turn") return error;
    // The turn was over before the stop came: its end is on the screen.
    this.endCancel(frame.turn_id ?? "");
    return null;
  }

  private frameOf({ id, content }: PendingMessage): ClientFrame {
    return { type: "message", session_id: this.sessionId, content, message_id: id };
  }

  private endCancel(turnId: Id): void {
    this.cancels = this.cancels.filter((id) => id !== turnId);
  }

  private change(changed: PendingMessage): void {
    this.write(this.messages.map((message) => (message.id === changed.id ? changed : message)));
  }

  private get key(): string {
    return OUTBOX_PREFIX + this.sessionId;
  }

  private write(messages: readonly PendingMessage[]): void {
    this.messages = messages;
    try {
      if (messages.length === 0) this.storage()?.removeItem(this.key);
      else this.storage()?.setItem(this.key, JSON.stringify(messages));
    } catch {
      // Storage is full or forbidden: the message lives as long as the page, as without it.
    }
  }

  private read(): readonly PendingMessage[] {
    try {
      const stored: unknown = JSON.parse(this.storage()?.getItem(this.key) ?? "[]");
      return Array.isArray(stored) ? stored.filter(isStored) : [];
    } catch {
      return [];
    }
  }
}

function refused(message: PendingMessage, error: SocketError): PendingMessage {
  return { ...message, state: "refused", error };
}

/** What an earlier page of this tab left; what it had said may not have arrived. */
function isStored(value: unknown): value is PendingMessage {
  if (typeof value !== "object" || value === null) return false;
  const { id, content, at, state, error } = value as Record<string, unknown>;
  const isMessage = typeof id === "string" && typeof content === "string" && typeof at === "number";
  if (state === "refused") return isMessage && typeof error === "object" && error !== null;
  return isMessage && (state === "waiting" || state === "sent");
}
