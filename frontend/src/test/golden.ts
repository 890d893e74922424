/** The golden sequences that Python writes (tests/golden): frames, and what they add up to. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Frame, parseFrame } from "@/protocol/guard";
import { messagesOf } from "@/session/messages";
import type { Call, SessionState, Turn } from "@/session/state";

const FOLDER = join(process.cwd(), "..", "tests", "golden");

export const GOLDEN_NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".jsonl"))
  .map((name) => name.replace(".jsonl", ""));

export function goldenFrames(name: string): Frame[] {
  const lines = readFileSync(join(FOLDER, `${name}.jsonl`), "utf-8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    const frame = parseFrame(line);
    if (frame === null) throw new Error(`not a frame: ${line}`);
    return frame;
  });
}

export function goldenTurns(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.expected.json`), "utf-8")).turns;
}

/** The conversation in the words of the expectations. */
export function shownTurns(state: SessionState): unknown {
  return state.turns.map((turn) => ({
    turn_id: turn.id,
    question: turn.content,
    status: turn.finishedAt === null ? null : turn.status,
    attempt: turn.attempt,
    answer: answerShown(turn),
    calls: Object.fromEntries(turn.items.filter(isCall).map((call) => [call.id, stateOf(call)])),
  }));
}

function answerShown(turn: Turn): string {
  const answer = messagesOf([turn], []).find((message) => message.role === "assistant");
  return answer?.role === "assistant" ? answer.texts.map((text) => text.content).join("") : "";
}

function isCall(item: { kind: string }): item is Call {
  return item.kind === "tool_call" || item.kind === "model_call";
}

function stateOf(call: Call): string {
  if (call.end === null) return "open";
  return call.end.isError ? "failed" : "ended";
}
