import { expect, test } from "vitest";
import { relativeTime } from "@/lib/relative-time";

const AT = Date.parse("2026-01-31T09:00:00.000Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

test.each([
  [0, "just now"],
  [59 * SECOND, "just now"],
  [MINUTE, "1m ago"],
  [2 * MINUTE + 59 * SECOND, "2m ago"],
  [59 * MINUTE, "59m ago"],
  [HOUR, "1h ago"],
  [23 * HOUR, "23h ago"],
  [24 * HOUR, "1d ago"],
  [6 * 24 * HOUR, "6d ago"],
])("what was %i ms ago is told as %s", (age, words) => {
  expect(relativeTime(AT, AT + age)).toBe(words);
});

test("what is older than a week is told by its date", () => {
  const noon = new Date(2026, 0, 31, 12).getTime();
  expect(relativeTime(noon, noon + 7 * 24 * HOUR)).toBe("Jan 31, 2026");
});

test("what a clock that is ahead has dated into the future was just now", () => {
  expect(relativeTime(AT + HOUR, AT)).toBe("just now");
});
