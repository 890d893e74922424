import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "@/protocol/guard";
import { parsePosition } from "@/protocol/position";
import { applyFrame } from "@/session/reducer";
import { connected, FrameWriter, START, stateAfter, TURN } from "@/test/builders";
import { GOLDEN_NAMES, goldenFrames } from "@/test/golden";

const recorded = fc.constantFrom(...GOLDEN_NAMES.map((name) => goldenFrames(name)));

function eventsOf(frames: readonly Frame[]): Frame[] {
  return frames.filter((frame) => typeof frame.id === "string");
}

describe("any delivery of a recorded session", () => {
  it("reduces to the same state when events are given again, at any time and in any order", () => {
    fc.assert(
      fc.property(recorded, fc.array(fc.tuple(fc.nat(), fc.nat())), (frames, again) => {
        const disturbed = frames.flatMap((frame, index) => {
          const earlier = eventsOf(frames.slice(0, index + 1));
          const copies = again
            .filter(([at]) => at % frames.length === index)
            .flatMap(([, which]) => earlier.slice(which % (earlier.length || 1)).slice(0, 3));
          return [frame, ...copies.reverse()];
        });
        expect(stateAfter(disturbed)).toEqual(stateAfter(frames));
      }),
    );
  });

  it("reduces to the same conversation when the connection is cut anywhere, and resumed", () => {
    fc.assert(
      fc.property(recorded, fc.array(fc.nat(), { maxLength: 4 }), (frames, cuts) => {
        const last = eventsOf(frames).at(-1);
        const head = typeof last?.id === "string" ? last.id : null;
        const resumed = frames.flatMap((frame, index) =>
          cuts.some((cut) => cut % frames.length === index && index > 0)
            ? [connected({ resumed: true, head }), ...eventsOf(frames.slice(0, index)), frame]
            : [frame],
        );
        const { turns, strays, cursor } = stateAfter(resumed);
        const whole = stateAfter(frames);
        expect({ turns, strays, cursor }).toEqual({
          turns: whole.turns,
          strays: whole.strays,
          cursor: whole.cursor,
        });
      }),
    );
  });

  it("reduces to the same conversation when it is replayed from the beginning after a reset", () => {
    fc.assert(
      fc.property(recorded, fc.nat(), (frames, cut) => {
        const head = eventsOf(frames).at(-1)?.id;
        const before = frames.slice(0, cut % frames.length);
        const replay = [connected({ reset: true, head }), ...eventsOf(frames)];
        expect(stateAfter([...before, ...replay]).turns).toEqual(stateAfter(frames).turns);
      }),
    );
  });

  it("reduces to the same conversation when it is read after its pieces have left the log", () => {
    fc.assert(
      fc.property(recorded, (frames) => {
        const whole = new Set(frames.filter((f) => f.streaming === false).map((f) => f.message_id));
        const compacted = frames.filter((f) => f.streaming !== true || !whole.has(f.message_id));
        expect(stateAfter(compacted)).toEqual(stateAfter(frames));
      }),
    );
  });

  it("reduces to the same conversation, at every moment, when neighbouring pieces come merged", () => {
    const frames = goldenFrames("every_type");
    const merged = frames.reduce<Frame[]>((list, frame) => {
      const last = list.at(-1);
      const isNext = frame.streaming === true && last?.streaming === true;
      if (!isNext || last.message_id !== frame.message_id) return list.concat(frame);
      return list.slice(0, -1).concat({ ...frame, content: `${last.content}${frame.content}` });
    }, []);
    expect(merged.length).toBeLessThan(frames.length);
    for (const [index, frame] of merged.entries()) {
      const asLong = frames.slice(0, frames.findIndex((f) => f === frame || f.id === frame.id) + 1);
      if (frame.id === undefined) continue;
      expect(stateAfter(merged.slice(0, index + 1)).turns).toEqual(stateAfter(asLong).turns);
    }
  });
});

describe("an event at or before the cursor", () => {
  it("returns the very same state", () => {
    const write = new FrameWriter();
    const frames = [write.message(), write.started(), write.piece("a")];
    const state = stateAfter(frames);
    for (const frame of frames) expect(applyFrame(state, frame, START)).toBe(state);
  });

  it("is judged by numbers: 10 comes after 9", () => {
    const write = new FrameWriter();
    const pieces = Array.from({ length: 12 }, (_, index) => write.piece(`${index} `));
    const [text] = stateAfter(pieces).turns[0]?.items ?? [];
    expect(text).toMatchObject({ content: "0 1 2 3 4 5 6 7 8 9 10 11 " });
  });
});

describe("a later epoch", () => {
  const before = new FrameWriter(7);
  const after = new FrameWriter(9);
  const old = [before.message(), before.started()];
  const late = after.message({ turn_id: "t2" });

  it("is ignored live, where only a reset brings it", () => {
    expect(stateAfter([connected(), ...old, late]).turns).toHaveLength(1);
  });

  it("is taken up to the head that `connection` named", () => {
    const state = stateAfter([connected({ reset: true, head: "9-1" }), ...old, late]);
    expect(state.turns.map((turn) => turn.id)).toEqual([TURN, "t2"]);
    expect(state.cursor).toEqual(parsePosition("9-1"));
  });
});

describe("a turn", () => {
  it("drops the texts of lower attempts and keeps their calls", () => {
    const write = new FrameWriter();
    const { turns } = stateAfter([
      write.message(),
      write.started(),
      write.toolCall(),
      write.piece("half"),
      write.toolResult({ is_error: true }),
      write.started({ attempt: 2 }),
    ]);
    expect(turns[0]?.items.map((item) => item.kind)).toEqual(["attempt", "tool_call", "attempt"]);
  });

  it("takes a text of a higher attempt although its turn_started is gone", () => {
    const write = new FrameWriter();
    const { turns } = stateAfter([
      write.piece("a"),
      write.piece("b", { attempt: 2, message_id: "x" }),
    ]);
    expect(turns[0]).toMatchObject({ attempt: 2, status: "running", content: null });
    expect(turns[0]?.items).toHaveLength(1);
  });

  it("ignores a text of a lower attempt", () => {
    const write = new FrameWriter();
    const { turns } = stateAfter([
      write.started({ attempt: 2 }),
      write.piece("late", { attempt: 1 }),
    ]);
    expect(turns[0]?.items.map((item) => item.kind)).toEqual(["attempt"]);
  });

  it("takes the final text for the pieces, and no piece after it", () => {
    const write = new FrameWriter();
    const { turns } = stateAfter([write.piece("Hel"), write.text("Hello."), write.piece("late")]);
    expect(turns[0]?.items).toMatchObject([{ content: "Hello.", isWhole: true }]);
  });

  it("shows the end of a call whose beginning is gone, begun as long before as it lasted", () => {
    const write = new FrameWriter();
    const { turns } = stateAfter([write.toolResult(), write.modelResponse()]);
    expect(turns[0]?.items).toMatchObject([
      { kind: "tool_call", at: START + 10 - 120, end: { durationMs: 120 } },
      { kind: "model_call", at: START + 20 - 300, end: { totalTokens: 18 } },
    ]);
  });

  it("keeps what it does not know, and takes a known type with wrong fields for that", () => {
    const write = new FrameWriter();
    const { turns } = stateAfter([
      write.event("hologram", { attempt: 1, shape: "cube" }),
      write.toolResult({ result: 7 }),
      write.finished({ status: "expired" }),
    ]);
    expect(turns[0]?.items).toMatchObject([
      { kind: "unknown", type: "hologram", fields: { shape: "cube" } },
      { kind: "unknown", type: "tool_result" },
      { kind: "unknown", type: "turn_finished" },
    ]);
  });
});

describe("frames without a position", () => {
  it("change nothing, but for `connection`", () => {
    const state = stateAfter([connected()]);
    for (const frame of [
      { type: "heartbeat", session_id: "s", head: null },
      { type: "error", session_id: "s", code: "bad_json", error: "no" },
      { type: "connection", session_id: "s", status: "reconnecting", head: null },
      { type: "message", id: "not a position", message_id: "m", content: "forged" },
    ]) {
      expect(applyFrame(state, frame, START)).toBe(state);
    }
  });

  it("tell the clock's skew, the truncation, and what to drop", () => {
    const write = new FrameWriter();
    const late = connected({ server_time: new Date(START + 1500).toISOString(), truncated: true });
    const state = stateAfter([connected(), write.message(), late]);
    expect(state).toMatchObject({ clockSkewMs: 1500, isTruncated: true });
    expect(stateAfter([connected({ reset: true })], state)).toMatchObject({
      turns: [],
      cursor: null,
      isTruncated: false,
    });
  });
});
