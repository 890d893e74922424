/** Frames as a gateway sends them, with defaults: `aMessage({ content: "hi" })`. */
import type { Frame } from "@/protocol/guard";
import { applyFrame } from "@/session/reducer";
import { EMPTY_SESSION, type SessionState } from "@/session/state";

type Fields = Record<string, unknown>;

export const SESSION = "test-session";
export const TURN = "11111111-1111-4111-8111-111111111111";
export const START = Date.parse("2026-01-31T09:00:00.000Z");

/** The frames of one session: every event gets the next position and a time 10 ms later. */
export class FrameWriter {
  private seq = 0;
  constructor(private readonly epoch = 7) {}

  event(type: string, fields: Fields = {}): Frame {
    this.seq += 1;
    return {
      id: `${this.epoch}-${this.seq}`,
      type,
      session_id: SESSION,
      timestamp: new Date(START + this.seq * 10).toISOString(),
      turn_id: TURN,
      trace_id: "51d9e5b587ef14f844c2fd21a4384826",
      ...fields,
    };
  }

  message(fields: Fields = {}): Frame {
    return this.event("message", { message_id: fields.turn_id ?? TURN, content: "hi", ...fields });
  }
  started(fields: Fields = {}): Frame {
    return this.event("turn_started", { attempt: 1, worker: "worker-1", ...fields });
  }
  piece(content: string, fields: Fields = {}): Frame {
    return this.text(content, { streaming: true, ...fields });
  }
  text(content: string, fields: Fields = {}): Frame {
    return this.event("assistant", {
      attempt: 1,
      message_id: "text-1",
      streaming: false,
      content,
      ...fields,
    });
  }
  toolCall(fields: Fields = {}): Frame {
    return this.event("tool_call", {
      attempt: 1,
      tool_call_id: "tool-1",
      tool_name: "search_patients",
      arguments: { name: "Ada" },
      span_id: "3089ec5532e1d161",
      ...fields,
    });
  }
  toolResult(fields: Fields = {}): Frame {
    return this.event("tool_result", {
      attempt: 1,
      tool_call_id: "tool-1",
      tool_name: "search_patients",
      duration_ms: 120,
      is_error: false,
      result: '{"total": 1}',
      span_id: "3089ec5532e1d161",
      ...fields,
    });
  }
  modelCall(fields: Fields = {}): Frame {
    return this.event("openai_call", {
      attempt: 1,
      call_id: "model-1",
      model: "gpt-5-mini",
      provider: "openai",
      span_id: "5fe9ea6cec338a1d",
      ...fields,
    });
  }
  modelResponse(fields: Fields = {}): Frame {
    return this.event("openai_response", {
      attempt: 1,
      call_id: "model-1",
      model: "gpt-5-mini",
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      duration_ms: 300,
      time_to_first_token_ms: 80,
      finish_reason: "stop",
      is_error: false,
      span_id: "5fe9ea6cec338a1d",
      ...fields,
    });
  }
  finished(fields: Fields = {}): Frame {
    return this.event("turn_finished", {
      attempt: 1,
      status: "completed",
      duration_ms: 500,
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, requests: 1 },
      ...fields,
    });
  }
}

/** The first frame of a socket; `head` as the log stood. */
export function connected(fields: Fields = {}): Frame {
  return {
    type: "connection",
    session_id: SESSION,
    status: "connected",
    protocol: 1,
    resumed: false,
    reset: false,
    truncated: false,
    heartbeat_seconds: 15,
    server_time: "2026-01-31T09:00:00.000Z",
    head: null,
    ...fields,
  };
}

/** The state after these frames, all arriving at `START`. */
export function stateAfter(
  frames: readonly Frame[],
  state: SessionState = EMPTY_SESSION,
): SessionState {
  return frames.reduce((before, frame) => applyFrame(before, frame, START), state);
}
