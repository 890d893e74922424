/** The state of the connection, in the words that the page shows and speaks. */
import type { ConnectionReason, ConnectionState } from "@/session/state";

const STATES: Readonly<Record<ConnectionState, string>> = {
  connected: "Connected",
  reconnecting: "Reconnecting",
  disconnected: "Disconnected",
};

const REASONS: Readonly<Record<ConnectionReason, string>> = {
  offline: "You are offline",
  unauthorized: "You are signed out",
  forbidden: "You may not open this session",
  limited: "Too many requests: the service asks to wait",
  refused: "The service refuses this session",
  unreachable: "The service cannot be reached",
  unavailable: "The service has lost its store",
};

export function stateInWords(state: ConnectionState): string {
  return STATES[state];
}

/** A sentence without its full stop. */
export function reasonInWords(reason: ConnectionReason): string {
  return REASONS[reason];
}
