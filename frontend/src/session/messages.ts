/** The conversation as a list of messages: what the chat shows. */
import type { Id, PendingMessage, Text, Turn } from "@/session/state";

/** What a user said: in the log, or still on its way (`pending`). */
export type UserMessage = {
  readonly role: "user";
  readonly id: Id;
  readonly turnId: Id;
  /** Null when the log no longer has it. */
  readonly content: string | null;
  readonly at: number | null;
  readonly pending: PendingMessage | null;
};

/** What answers it: the texts of the turn's highest attempt, in order. */
export type AssistantMessage = {
  readonly role: "assistant";
  readonly id: Id;
  readonly turnId: Id;
  readonly texts: readonly Text[];
  readonly isStreaming: boolean;
  readonly turn: Turn;
};

export type Message = UserMessage | AssistantMessage;

const cache = new WeakMap<object, readonly Message[]>();

/** Every message in order. The messages of a turn that has not changed are the same objects. */
export function messagesOf(
  turns: readonly Turn[],
  outbox: readonly PendingMessage[],
): readonly Message[] {
  return [...turns.flatMap(messagesOfTurn), ...outbox.flatMap(messagesOfPending)];
}

/** The answer as text, for copying and for the announcer. */
export function answerOf(turn: Turn): string {
  return textsOf(turn)
    .map((text) => text.content)
    .join("\n\n");
}

function textsOf(turn: Turn): readonly Text[] {
  return turn.items.filter((item): item is Text => item.kind === "text");
}

function messagesOfTurn(turn: Turn): readonly Message[] {
  return cached(turn, () => [
    {
      role: "user",
      id: turn.id,
      turnId: turn.id,
      content: turn.content,
      at: turn.askedAt,
      pending: null,
    },
    {
      role: "assistant",
      id: `${turn.id}/answer`,
      turnId: turn.id,
      texts: textsOf(turn),
      isStreaming: turn.status === "running",
      turn,
    },
  ]);
}

function messagesOfPending(pending: PendingMessage): readonly Message[] {
  return cached(pending, () => [
    {
      role: "user",
      id: pending.id,
      turnId: pending.id,
      content: pending.content,
      at: pending.at,
      pending,
    },
  ]);
}

function cached(source: object, make: () => readonly Message[]): readonly Message[] {
  let messages = cache.get(source);
  if (messages === undefined) {
    messages = make();
    cache.set(source, messages);
  }
  return messages;
}
