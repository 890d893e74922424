import { expect, test } from "vitest";
import { isOver } from "@/session/turn-status";

test.each([
  ["waiting", false],
  ["running", false],
  ["completed", true],
  ["failed", true],
  ["cancelled", true],
] as const)("a turn that is %s is over: %s", (status, expected) => {
  expect(isOver(status)).toBe(expected);
});
