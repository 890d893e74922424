import { act, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { START } from "@/test/builders";
import { WaitingNotice } from "./waiting-notice";

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});

function show(turnsBefore: number, clockSkewMs = 0) {
  return render(
    <WaitingNotice askedAt={START} clockSkewMs={clockSkewMs} turnsBefore={turnsBefore} />,
  );
}

test("for three seconds nothing is said, for a worker mostly begins sooner", () => {
  const { container } = show(0);
  act(() => vi.advanceTimersByTime(3000));
  expect(container).toBeEmptyDOMElement();
});

test("then the first in the queue waits for a worker", () => {
  show(0);
  act(() => vi.advanceTimersByTime(4000));
  expect(screen.getByText("Waiting for a worker")).toBeVisible();
});

test.each([
  [1, "Waiting: 1 turn before this one"],
  [12, "Waiting: 12 turns before this one"],
])("with %i before it, that is what it waits for", (turnsBefore, words) => {
  show(turnsBefore);
  act(() => vi.advanceTimersByTime(4000));
  expect(screen.getByText(words)).toBeVisible();
});

test("the wait is counted by the gateway's clock", () => {
  show(0, 5000);
  expect(screen.getByText("Waiting for a worker")).toBeVisible();
});

test("no timer is left when the wait is over", () => {
  const { unmount } = show(0);
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});
