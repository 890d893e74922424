/** A turn's items as the parts of its answer, in the order of the log. Pure. */
import type { Id, Text, ToolCall, Turn } from "@/session/state";

type Told = { readonly kind: "text"; readonly id: Id; readonly text: Text };
export type Segment =
  | Told
  | { readonly kind: "thinking"; readonly id: Id; readonly texts: readonly Text[] }
  | { readonly kind: "steps"; readonly id: Id; readonly calls: readonly ToolCall[] };

/** A part that its next neighbour may still join. */
type Growing =
  | Told
  | { kind: "thinking"; id: Id; texts: Text[] }
  | { kind: "steps"; id: Id; calls: ToolCall[] };

/**
 * The texts, thoughts and tool calls of the last attempt; neighbours of one kind are one part, but
 * each text is its own. What an earlier attempt did is the telemetry panel's to show.
 */
export function segmentsOf(turn: Turn): readonly Segment[] {
  const segments: Growing[] = [];
  for (const item of turn.items) {
    if (item.attempt !== turn.attempt) continue;
    const before = segments.at(-1);
    if (item.kind === "text") {
      segments.push({ kind: "text", id: item.id, text: item });
    } else if (item.kind === "reasoning") {
      if (before?.kind === "thinking") before.texts.push(item);
      else segments.push({ kind: "thinking", id: item.id, texts: [item] });
    } else if (item.kind === "tool_call") {
      if (before?.kind === "steps") before.calls.push(item);
      else segments.push({ kind: "steps", id: item.id, calls: [item] });
    }
  }
  return segments;
}

/** Whether the part still grows or runs: a sign of life of its own. */
export function isAlive(segment: Segment): boolean {
  if (segment.kind === "text") return !segment.text.isWhole;
  if (segment.kind === "thinking") return segment.texts.some((text) => !text.isWhole);
  return segment.calls.some((call) => call.end === null);
}

/**
 * A text that is one JSON object or array as a fenced block, or null for any other. Written over
 * several lines when it came in one and no number loses a digit by that.
 */
export function fencedJson(text: string): string | null {
  const source = text.trim();
  if (!/^[[{]/.test(source)) return null;
  try {
    const value: unknown = JSON.parse(source);
    const isCompact = JSON.stringify(value) === source;
    // No line of JSON can begin with a backtick, so nothing in it closes the fence.
    return `\`\`\`json\n${isCompact ? JSON.stringify(value, null, 2) : source}\n\`\`\``;
  } catch {
    return null;
  }
}
