/** The envelope of a frame, checked before anything is read from it. */
import type { ServerFrame } from "@/protocol/events.gen";

export type Fields = Readonly<Record<string, unknown>>;
export type Frame = Fields & { readonly type: string };

/** A type, or the only values that are meant. */
type Kind = "string" | "number" | "boolean" | "object" | readonly string[];

/** What the page relies on, by type of frame. A test holds it against the schema. */
const RELIED_ON: Readonly<Record<ServerFrame["type"], Readonly<Record<string, Kind>>>> = {
  connection: { status: ["connected", "reconnecting", "disconnected"] },
  heartbeat: {},
  message: { message_id: "string", content: "string" },
  turn_started: { worker: "string" },
  assistant: { message_id: "string", content: "string", streaming: "boolean" },
  reasoning: { message_id: "string", content: "string", streaming: "boolean" },
  tool_call: { tool_call_id: "string", tool_name: "string", arguments: "object" },
  tool_result: {
    tool_call_id: "string",
    tool_name: "string",
    result: "string",
    duration_ms: "number",
    is_error: "boolean",
  },
  openai_call: { call_id: "string", model: "string", provider: "string" },
  openai_response: {
    call_id: "string",
    model: "string",
    duration_ms: "number",
    is_error: "boolean",
  },
  custom: { name: "string", data: "object" },
  turn_finished: { status: ["completed", "failed", "cancelled"] },
  error: { code: "string", error: "string" },
};

/** The frame in a text of the socket, of a known type or not; null for what is no frame at all. */
export function parseFrame(text: string): Frame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isFields(value) && typeof value.type === "string" ? (value as Frame) : null;
}

/** Whether this page knows the type, and the fields that it relies on are what they should be. */
export function isKnown(frame: Frame): frame is Frame & ServerFrame {
  const reliedOn = Object.hasOwn(RELIED_ON, frame.type)
    ? RELIED_ON[frame.type as ServerFrame["type"]]
    : null;
  return (
    reliedOn !== null &&
    Object.entries(reliedOn).every(([name, kind]) => isOfKind(frame[name], kind))
  );
}

function isOfKind(value: unknown, kind: Kind): boolean {
  if (kind === "object") return isFields(value);
  return typeof kind === "string" ? typeof value === kind : kind.some((meant) => meant === value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
