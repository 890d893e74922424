/**
 * The session core: one session of a Fanline gateway, followed and driven, without React.
 *
 * `SessionClient` keeps a connection, says again what was lost, and reduces the session's events to
 * one state in `store`. A page gives it the page's surroundings; anything else `plainSurroundings`:
 *
 *     const client = new SessionClient("demo", plainSurroundings("http://localhost:8000"));
 *     client.store.subscribe(({ session }) => show(session.turns));
 *     client.open();
 *     client.sendMessage("How many patients are there?");
 *
 * This is its public surface, for use from outside; the page imports what it needs by its file.
 */

/** The pure reducer alone: what a frame changes in the state. */
export { type Frame, parseFrame } from "@/protocol/guard";
/** A place in a session's log, and how two compare. */
export {
  comparePositions,
  formatPosition,
  type Position,
  parsePosition,
} from "@/protocol/position";
/** The state as a chat's list of messages; the text of an answer. */
export { answerOf, type Message, messagesOf } from "@/session/messages";
export { applyFrame } from "@/session/reducer";

/** A tab of one session: the store, what can be said, and whether what was there has been read. */
export { isLoaded, SessionClient, type SessionView } from "@/session/session-client";

/** What a session's events add up to, and how the connection stands. */
export {
  type ConnectionView,
  EMPTY_SESSION,
  type Item,
  type PendingMessage,
  type SessionState,
  type SocketError,
  type TelemetryItem,
  type Text,
  type Turn,
  type TurnStatus,
} from "@/session/state";

/** Where it runs: Node and the like, or anything that has the same parts. */
export {
  type PlainOptions,
  plainSurroundings,
  type Socket,
  type Surroundings,
} from "@/session/surroundings";

/** The state as a list of what the agent did. */
export { telemetryOf, telemetryOfTurn } from "@/session/telemetry";

/** Whether nothing of a turn runs or will run any more. */
export { isOver } from "@/session/turn-status";
