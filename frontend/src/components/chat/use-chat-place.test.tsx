import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useLink } from "@/app/link";
import { useChatPlace } from "./use-chat-place";

const VIEW = { top: 100, bottom: 500, height: 400 };

/** A log in which the answer of `turn-1`, whose step is `tool-1`, lies so. */
function showLog(answer: { top: number; bottom: number }) {
  document.body.innerHTML = `
    <textarea></textarea>
    <div role="log">
      <ul><li data-message="turn-1/answer">
        <article tabindex="-1"><button data-item="tool-1">step</button></article>
      </li></ul>
    </div>`;
  const find = (selector: string) => document.querySelector(selector) as HTMLElement;
  const log = find("[role=log]");
  const place = { ...answer, height: answer.bottom - answer.top };
  vi.spyOn(log, "getBoundingClientRect").mockReturnValue(VIEW as DOMRect);
  for (const target of [find("article"), find("button")]) {
    vi.spyOn(target, "getBoundingClientRect").mockReturnValue(place as DOMRect);
  }
  const scrolled = vi.spyOn(Element.prototype, "scrollIntoView").mockClear();
  const prepare = vi.fn();
  const { result } = renderHook(() => useChatPlace({ current: log }, prepare));
  find("textarea").focus();
  return { result, scrolled, prepare, find };
}

beforeEach(() => useLink.setState({ chatPlace: null }));

test("a glance at what is out of view scrolls to it, marks it, and leaves the focus", () => {
  const { result, scrolled, prepare, find } = showLog({ top: -900, bottom: -700 });
  act(() => useLink.getState().pointInChat("turn-1", "tool-1"));
  expect(prepare).toHaveBeenCalledExactlyOnceWith("turn-1");
  expect(scrolled.mock.contexts).toEqual([find("button")]);
  expect(result.current).toMatchObject({ turnId: "turn-1", itemId: "tool-1" });
  expect(find("textarea")).toHaveFocus();
});

test("a glance at what is in view only marks it, so a reply that grows is followed on", () => {
  const { result, scrolled, prepare } = showLog({ top: 200, bottom: 450 });
  act(() => useLink.getState().pointInChat("turn-1"));
  expect(prepare).not.toHaveBeenCalled();
  expect(scrolled).not.toHaveBeenCalled();
  expect(result.current).toMatchObject({ turnId: "turn-1" });
});

test("a glance at an answer that fills the view is at what is in view", () => {
  const { scrolled } = showLog({ top: -3000, bottom: 480 });
  act(() => useLink.getState().pointInChat("turn-1"));
  expect(scrolled).not.toHaveBeenCalled();
});

test("who is led to what is in view gets there all the same, with the focus", () => {
  const { scrolled, find } = showLog({ top: 200, bottom: 450 });
  act(() => useLink.getState().showInChat("turn-1", "tool-1"));
  expect(scrolled).toHaveBeenCalledOnce();
  expect(find("button")).toHaveFocus();
});
