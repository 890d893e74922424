import { describe, expect, it } from "vitest";
import { follow, NOTHING_WITNESSED, type Seen } from "@/hooks/live-turns";
import type { Turn } from "@/session/state";
import { FrameWriter, stateAfter } from "@/test/builders";

type Frames = readonly Parameters<typeof stateAfter>[0][number][];

const OTHER = "22222222-2222-4222-8222-222222222222";
const writer = new FrameWriter();
const asked = [writer.message()];
const started = [...asked, writer.started()];
const calling = [...started, writer.toolCall()];
const finished = [...calling, writer.toolResult(), writer.text("Done."), writer.finished()];

function turnsAfter(frames: Frames): readonly Turn[] {
  return stateAfter(frames).turns;
}

function loaded(frames: Frames, pending: readonly string[] = []): Seen {
  return { turns: turnsAfter(frames), isLoaded: true, head: null, pending };
}

const LOADING: Seen = { turns: [], isLoaded: false, head: null, pending: [] };

/** What a page tells that sees these states one after the other. */
function told(states: readonly Seen[]): readonly string[] {
  let live = NOTHING_WITNESSED;
  return states.flatMap((seen) => {
    const { after, happenings } = follow(live, seen);
    live = after;
    return happenings.map(({ kind }) => kind);
  });
}

describe("what happens in front of a page", () => {
  it("is told in order, each once", () => {
    const states = [loaded([]), loaded(asked), loaded(started), loaded(calling), loaded(finished)];
    expect(told(states)).toEqual(["started", "tool_call", "finished"]);
  });

  it("is told once however often it is looked at", () => {
    const states = [loaded([]), loaded(started), loaded(started), loaded(finished)];
    expect(told([...states, loaded(finished)])).toEqual(["started", "tool_call", "finished"]);
  });

  it("is nothing while the log loads, nor what had ended by then", () => {
    const partly = { ...loaded(started), isLoaded: false };
    expect(told([LOADING, partly, loaded(finished), loaded(finished)])).toEqual([]);
  });

  it("is only the end of a turn that was running when the page opened", () => {
    expect(told([LOADING, loaded(calling), loaded(finished)])).toEqual(["finished"]);
  });

  it("is only the end of a turn that went on while the connection was lost", () => {
    const resuming = { ...loaded(started), isLoaded: false };
    const states = [loaded([]), loaded(started), resuming, loaded(finished)];
    expect(told(states)).toEqual(["started", "finished"]);
  });

  it("is not what came and ended while the connection was lost", () => {
    const resuming = { ...loaded([]), isLoaded: false };
    expect(told([loaded([]), resuming, loaded(finished)])).toEqual([]);
  });

  it("is not told again when everything is read anew from the log", () => {
    const states = [loaded([]), loaded(started), loaded(finished), LOADING, loaded(started)];
    expect(told([...states, loaded(finished)])).toEqual(["started", "tool_call", "finished"]);
  });

  it("is told of another tab's turn even when it comes and is over in one step", () => {
    expect(told([loaded([]), loaded(finished)])).toEqual(["tool_call", "finished"]);
  });

  it("is not what a socket that has just opened reads from the log in one step", () => {
    const resumed = { ...loaded(finished), head: { epoch: 7, seq: 6 } };
    expect(told([loaded([]), resumed])).toEqual([]);
    expect(told([loaded([]), loaded(asked), resumed])).toEqual(["finished"]);
  });

  it("is told of this tab's message even when its turn is over in one step", () => {
    const sent = loaded([], ["11111111-1111-4111-8111-111111111111"]);
    expect(told([loaded([]), sent, loaded(finished)])).toEqual(["tool_call", "finished"]);
  });

  it("is told of each of two turns", () => {
    const other = { turn_id: OTHER };
    const both = [...started, writer.message(other), writer.started(other)];
    const ended = [...both, writer.finished(), writer.finished(other)];
    expect(told([loaded([]), loaded(started), loaded(both), loaded(ended)])).toEqual([
      "started",
      "started",
      "finished",
      "finished",
    ]);
  });

  it("starts once, however many workers it takes", () => {
    const second = [...started, writer.started({ attempt: 2 })];
    const ended = [...second, writer.finished({ attempt: 2 })];
    const states = [loaded([]), loaded(started), loaded(second), loaded(ended)];
    expect(told(states)).toEqual(["started", "finished"]);
  });
});
