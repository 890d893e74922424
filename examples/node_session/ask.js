/**
 * Asks in a session from plain Node and prints what happens: the page's session core, without React.
 *
 *     node ask.js http://localhost:8000 SESSION "How many patients are there?"
 *
 * A token for a gateway with authentication is read from FANLINE_TOKEN.
 */
import WebSocket from "ws";
import {
  answerOf,
  isOver,
  plainSurroundings,
  SessionClient,
  telemetryOfTurn,
} from "../../frontend/build/session.js";

const [gateway, sessionId, question] = process.argv.slice(2);
if (question === undefined) {
  console.error('usage: node ask.js GATEWAY SESSION "QUESTION"');
  process.exit(2);
}

/** Nothing more is tried by itself. */
const FINAL = new Set(["refused", "unauthorized", "forbidden"]);

const token = process.env.FANLINE_TOKEN;
const surroundings = plainSurroundings(gateway, {
  openSocket: (url) => new WebSocket(url), // Node 22 has one of its own
  token: token ? () => token : undefined,
});
const client = new SessionClient(sessionId, surroundings);
const turnId = client.sendMessage(question); // said when there is a connection, and again after a lost one

const shown = { connection: "", calls: new Set() };
const unsubscribe = client.store.subscribe(({ session, connection, outbox }) => {
  const state = [connection.state, connection.reason].filter(Boolean).join(": ");
  if (state !== shown.connection) console.error(`[${state}]`);
  shown.connection = state;

  if (connection.state === "disconnected" && FINAL.has(connection.reason)) end(1);
  const refused = outbox.find((message) => message.id === turnId && message.state === "refused");
  if (refused) end(1, refused.error.error);

  const turn = session.turns.find((turn) => turn.id === turnId);
  if (turn === undefined) return;
  for (const call of telemetryOfTurn(turn)) {
    if (call.kind !== "tool_call" || call.end === null || shown.calls.has(call.id)) continue;
    shown.calls.add(call.id);
    console.error(`${call.toolName} ${JSON.stringify(call.arguments)} ${call.end.durationMs} ms`);
  }
  if (!isOver(turn.status)) return;
  console.log(answerOf(turn));
  end(turn.status === "completed" ? 0 : 1, turn.error?.error);
});

function end(status, sentence) {
  if (sentence) console.error(sentence);
  process.exitCode = status;
  unsubscribe();
  client.close();
}

client.open();
