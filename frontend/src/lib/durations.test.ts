import { describe, expect, it } from "vitest";
import { formatDuration, formatTick, growingExtent, tickStep, ticksOf } from "@/lib/durations";

describe("a time axis", () => {
  it.each([
    [0, 1000],
    [999, 1000],
    [1000, 1000],
    [1001, 1500],
    [6500, 8000],
    [9000, 10_000],
    [61_000, 80_000],
  ])("that has run for %i ms is %i ms long while it grows", (elapsed, extent) => {
    expect(growingExtent(elapsed)).toBe(extent);
  });

  it.each([
    [1000, [0, 200, 400, 600, 800, 1000]],
    [4100, [0, 1000, 2000, 3000, 4000]],
    [8000, [0, 2000, 4000, 6000, 8000]],
    [500_000, [0, 120_000, 240_000, 360_000, 480_000]],
    [20_000_000, [0, 7_200_000, 14_400_000]],
    [1, [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]],
  ])("of %i ms has round marks", (total, ticks) => {
    expect(ticksOf(total)).toEqual(ticks);
  });

  it("never has more than five marks after its beginning, and always one", () => {
    for (let total = 1; total < 500_000_000; total = Math.ceil(total * 1.07)) {
      expect(ticksOf(total).length).toBeLessThanOrEqual(6);
      expect(ticksOf(total).length).toBeGreaterThan(1);
    }
  });

  it("of no length has a mark and no endless number of them", () => {
    expect(ticksOf(0)).toEqual([0]);
    expect(tickStep(0)).toBeGreaterThan(0);
  });

  it.each([
    [0, "0"],
    [0.6000000000000001, "0.6 ms"],
    [250, "250 ms"],
    [1500, "1.5 s"],
    [119_000, "119 s"],
    [120_000, "2 min"],
    [7_200_000, "2 h"],
  ])("says %f ms as %s", (ms, text) => {
    expect(formatTick(ms)).toBe(text);
  });
});

it.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [999.6, "1.0 s"],
  [4100, "4.1 s"],
  [59_949, "59.9 s"],
  [59_960, "1 min 0 s"],
  [125_000, "2 min 5 s"],
])("%f ms are told as %s", (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});
