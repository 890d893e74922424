import { describe, expect, it, vi } from "vitest";
import { backoffMs, judgeClose, waitMs } from "@/session/reconnect";

describe("backoffMs", () => {
  it("doubles from one second to thirty, and takes a random share of at least half", () => {
    const bounds = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    expect(bounds.map((_, failures) => backoffMs(failures, () => 1))).toEqual(bounds);
    expect(bounds.map((_, failures) => backoffMs(failures, () => 0))).toEqual(
      bounds.map((bound) => bound / 2),
    );
    expect(backoffMs(10_000, () => 1)).toBe(30_000);
  });
});

describe("judgeClose", () => {
  it.each([
    [1008, "not as you are", { kind: "stop", reason: "refused" }],
    [4401, "", { kind: "renew" }],
    [1009, "", { kind: "too big" }],
    [1012, "450", { kind: "wait", ms: 450 }],
    [1012, "99999999", { kind: "back off" }],
    [1012, "999999", { kind: "wait", ms: 30_000 }],
    [1012, "soon", { kind: "back off" }],
    [1013, "", { kind: "back off" }],
    [1011, "", { kind: "back off" }],
    [1006, "", { kind: "back off" }],
    [1000, "", { kind: "back off" }],
  ])("of %i with the reason %j", (code, reason, verdict) => {
    expect(judgeClose(code, reason)).toEqual(verdict);
  });
});

describe("waitMs", () => {
  it("takes another token at once, but not when that one was over at once as well", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const waits = (kind: "renew" | "back off") =>
      [0, 1, 2, 3].map((failures) => waitMs({ kind }, failures));
    expect(waits("renew")).toEqual([0, 2000, 4000, 8000]);
    expect(waits("back off")).toEqual([1000, 2000, 4000, 8000]);
    expect(waitMs({ kind: "wait", ms: 7 }, 9)).toBe(7);
  });
});
