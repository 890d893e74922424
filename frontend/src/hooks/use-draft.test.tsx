import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useDraft } from "@/hooks/use-draft";

function draftOf(sessionId: string) {
  return renderHook(({ id }) => useDraft(id), { initialProps: { id: sessionId } });
}

beforeEach(() => window.sessionStorage.clear());

test("a draft is there again after a reload", () => {
  const { result, unmount } = draftOf("one");
  act(() => result.current[1]("half a thought"));
  unmount();
  expect(draftOf("one").result.current[0]).toBe("half a thought");
});

test("each session has a draft of its own", () => {
  const { result, rerender } = draftOf("one");
  act(() => result.current[1]("for one"));
  rerender({ id: "two" });
  expect(result.current[0]).toBe("");
  act(() => result.current[1]("for two"));
  rerender({ id: "one" });
  expect(result.current[0]).toBe("for one");
});

test("an emptied draft leaves nothing behind", () => {
  const { result } = draftOf("one");
  act(() => result.current[1]("x"));
  act(() => result.current[1](""));
  expect(window.sessionStorage).toHaveLength(0);
});

test("no more than twenty drafts are kept", () => {
  for (let index = 0; index < 25; index += 1) {
    const { result } = draftOf(`session-${index}`);
    act(() => result.current[1]("x"));
  }
  expect(window.sessionStorage).toHaveLength(20);
});

test("a text beyond any message is not kept", () => {
  const { result } = draftOf("one");
  act(() => result.current[1]("x".repeat(100_000)));
  expect(result.current[0]).toHaveLength(100_000);
  expect(window.sessionStorage).toHaveLength(0);
});

test("typing works where the browser stores nothing", () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  const { result } = draftOf("one");
  act(() => result.current[1]("still typed"));
  expect(result.current[0]).toBe("still typed");
});
