import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useNow } from "@/hooks/use-now";

const renders = vi.fn();

function Minutes({ isTicking = false, of = 60_000 }: { isTicking?: boolean; of?: number }) {
  const count = useNow((now) => Math.floor(now / of), isTicking);
  renders();
  return <output>{count}</output>;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  renders.mockClear();
});

test("a page on which nothing waits has no timer", () => {
  render(<Minutes />);
  expect(vi.getTimerCount()).toBe(0);
});

test("the time ticks while a component wants it to, and no longer", () => {
  const { rerender, unmount } = render(<Minutes isTicking of={1000} />);
  act(() => vi.advanceTimersByTime(3000));
  expect(screen.getByRole("status")).toHaveTextContent("3");
  rerender(<Minutes of={1000} />);
  expect(vi.getTimerCount()).toBe(0);
  rerender(<Minutes isTicking of={1000} />);
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});

test("a tick renders only what reads differently by it", () => {
  render(<Minutes isTicking />);
  const before = renders.mock.calls.length;
  act(() => vi.advanceTimersByTime(30_000));
  expect(renders).toHaveBeenCalledTimes(before);
});

test("without a tick the time is right again as soon as the reader does something", () => {
  render(<Minutes />);
  vi.setSystemTime(5 * 60_000);
  fireEvent.pointerMove(window);
  expect(screen.getByRole("status")).toHaveTextContent("5");
});

test("without a tick the time is right again when the page is looked at again", () => {
  render(<Minutes />);
  vi.setSystemTime(7 * 60_000);
  fireEvent(document, new Event("visibilitychange"));
  expect(screen.getByRole("status")).toHaveTextContent("7");
});
