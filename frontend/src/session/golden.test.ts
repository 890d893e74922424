// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { describe, expect, it } from "vitest";
import { isKnown } from "@/protocol/guard";
import { stateAfter } from "@/test/builders";
import { GOLDEN_NAMES, goldenFrames, goldenTurns, shownTurns } from "@/test/golden";

const schema = JSON.parse(
  readFileSync(join(process.cwd(), "..", "shared", "schema", "events.schema.json"), "utf-8"),
);
// Pydantic's `discriminator.mapping` is not ajv's; the const tags tell the types apart anyway.
const ajv = new Ajv2020({ strict: false, discriminator: false });
const isServerFrame = ajv.compile({ ...schema, anyOf: undefined, $ref: "#/$defs/ServerFrame" });

describe.each(GOLDEN_NAMES)("the golden sequence %s", (name) => {
  it("adds up to the conversation that was written by hand", () => {
    expect(shownTurns(stateAfter(goldenFrames(name)))).toEqual(goldenTurns(name));
  });

  it("has frames of the schema, and others that the guard does not know either", () => {
    for (const frame of goldenFrames(name)) {
      expect(isServerFrame(frame), JSON.stringify(isServerFrame.errors)).toBe(isKnown(frame));
    }
  });

  it("shows every event that has a turn", () => {
    const { turns, strays, cursor } = stateAfter(goldenFrames(name));
    expect(cursor).not.toBeNull();
    expect(turns.every((turn) => turn.askedAt !== null)).toBe(true);
    expect(strays.map((item) => item.kind === "unknown" && item.type)).toEqual(
      name === "from_the_future" ? ["weather"] : [],
    );
  });
});

describe("the guard", () => {
  it("relies on nothing that a frame may lack", () => {
    const unlike: unknown[] = [];
    for (const name of GOLDEN_NAMES) {
      for (const frame of goldenFrames(name).filter(isKnown)) {
        for (const field of Object.keys(frame)) {
          const without = Object.fromEntries(
            Object.entries(frame).filter(([key]) => key !== field),
          );
          // What the schema requires less than the guard would make a lawful frame unknown.
          if (isServerFrame(without) && !isKnown({ ...without, type: frame.type })) {
            unlike.push([frame.type, field]);
          }
        }
      }
    }
    expect(unlike).toEqual([]);
  });
});
