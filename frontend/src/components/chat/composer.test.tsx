import { act, createEvent, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ComponentProps } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { Composer } from "./composer";

function setUp(props: Partial<ComponentProps<typeof Composer>> = {}) {
  const calls = {
    sendMessage: vi.fn((_content: string) => "sent-1"),
    stop: vi.fn((_turnId: string) => {}),
  };
  const given = {
    sessionId: "one",
    connectionState: "connected" as const,
    connectionReason: null,
    stoppable: null,
    lastMessage: null,
    ...calls,
    ...props,
  };
  const { rerender } = render(<Composer {...given} />);
  const field = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  const change = (changed: typeof props) => rerender(<Composer {...given} {...changed} />);
  return { ...calls, field, change, user: userEvent.setup() };
}

const OFFLINE = { connectionState: "reconnecting", connectionReason: "offline" } as const;
const button = () => screen.getByRole("button");
const fill = (field: HTMLElement, text: string) =>
  fireEvent.change(field, { target: { value: text } });

beforeEach(() => window.sessionStorage.clear());

test("one can type at once, without a click", () => {
  const { field } = setUp();
  expect(field).toHaveFocus();
});

test("on touch the keyboard does not come up by itself", () => {
  vi.spyOn(window, "matchMedia").mockImplementation((query) =>
    Object.assign(new EventTarget(), {
      matches: query === "(pointer: coarse)",
      media: query,
      onchange: null,
      addListener() {},
      removeListener() {},
    }),
  );
  const { field } = setUp();
  expect(field).not.toHaveFocus();
});

test("Enter sends what is typed, trimmed, clears the field and stays in it", async () => {
  const { user, field, sendMessage } = setUp();
  await user.type(field, "  hello there  {Enter}");
  expect(sendMessage.mock.calls).toEqual([["hello there"]]);
  expect(field).toHaveValue("");
  expect(field).toHaveFocus();
});

test("Shift+Enter starts a new line", async () => {
  const { user, field, sendMessage } = setUp();
  await user.type(field, "one{Shift>}{Enter}{/Shift}two");
  expect(field).toHaveValue("one\ntwo");
  expect(sendMessage).not.toHaveBeenCalled();
});

test("an Enter that ends a composition does not send", async () => {
  const { user, field, sendMessage } = setUp();
  await user.type(field, "にほん");
  fireEvent.keyDown(field, { key: "Enter", isComposing: true });
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  expect(sendMessage).not.toHaveBeenCalled();
});

test("what is blank is not sent", async () => {
  const { user, field, sendMessage } = setUp();
  await user.type(field, "  {Shift>}{Enter}{/Shift} {Enter}");
  await user.click(button());
  expect(sendMessage).not.toHaveBeenCalled();
  expect(button()).toHaveAttribute("aria-disabled", "true");
});

test("a click on Send sends and leaves the focus in the field", async () => {
  const { user, field, sendMessage } = setUp();
  await user.type(field, "hello");
  await user.click(button());
  expect(sendMessage.mock.calls).toEqual([["hello"]]);
  expect(field).toHaveFocus();
});

test("Send becomes Stop in place, with the same focus, and stops the run", async () => {
  const { user, field, stop, change, sendMessage } = setUp();
  await user.type(field, "hello");
  await user.tab();
  const before = button();
  expect(before).toHaveAccessibleName("Send");
  await user.keyboard("{Enter}");
  expect(sendMessage).toHaveBeenCalledOnce();
  change({ stoppable: "turn-1" });
  expect(button()).toBe(before);
  expect(before).toHaveFocus();
  expect(before).toHaveAccessibleName("Stop");
  await user.keyboard("{Enter}");
  expect(stop.mock.calls).toEqual([["turn-1"]]);
});

test("with something typed, the button sends, also while a turn runs", async () => {
  const { user, field, stop, sendMessage } = setUp({ stoppable: "turn-1" });
  await user.type(field, "next");
  await user.click(screen.getByRole("button", { name: "Send" }));
  expect(sendMessage.mock.calls).toEqual([["next"]]);
  expect(stop).not.toHaveBeenCalled();
});

test("a double click on Send does not stop what it has sent", () => {
  const { field, stop, change } = setUp();
  fill(field, "hello");
  fireEvent.click(button(), { detail: 1 });
  change({ stoppable: "turn-1" });
  fireEvent.click(button(), { detail: 2 });
  expect(stop).not.toHaveBeenCalled();
});

test("offline the field works, and says when the message will be sent", async () => {
  vi.useFakeTimers();
  const { field, sendMessage } = setUp(OFFLINE);
  expect(screen.queryByText(/Offline/)).toBeNull();
  act(() => vi.advanceTimersByTime(1000));
  expect(field).toBeEnabled();
  expect(field).toHaveAccessibleDescription("Offline: it will be sent when the connection is back");
  fill(field, "hello");
  fireEvent.keyDown(field, { key: "Enter" });
  expect(sendMessage.mock.calls).toEqual([["hello"]]);
});

test.each([
  ["reconnecting", null, "Not connected: it will be sent when the connection is back"],
  ["reconnecting", "unreachable", "Not connected: it will be sent when the connection is back"],
  ["disconnected", "unavailable", "Not connected: it will be sent when the connection is back"],
  ["disconnected", "unauthorized", "Signed out: it will be sent when you have signed in"],
  ["disconnected", "forbidden", "Not open to you: it waits here, and is sent nowhere"],
  ["disconnected", "refused", "Refused by the service: it waits here until you press Retry now"],
] as const)("%s, %s: the field says what a message waits for", (state, reason, words) => {
  vi.useFakeTimers();
  const { field } = setUp({ connectionState: state, connectionReason: reason });
  act(() => vi.advanceTimersByTime(1000));
  expect(field).toHaveAccessibleDescription(words);
});

test("a connection that is soon back is no word worth", () => {
  vi.useFakeTimers();
  const { change } = setUp(OFFLINE);
  act(() => vi.advanceTimersByTime(900));
  change({ connectionState: "connected", connectionReason: null });
  change(OFFLINE);
  act(() => vi.advanceTimersByTime(900));
  expect(screen.queryByText(/Offline/)).toBeNull();
});

test("the longest message, counted in code points, is sent", () => {
  const { field, sendMessage } = setUp();
  const text = "😀".repeat(32_768);
  fill(field, `${text}\n`);
  expect(screen.getByText("32,768 / 32,768 characters")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
  fireEvent.keyDown(field, { key: "Enter" });
  expect(sendMessage.mock.calls).toEqual([[text]]);
});

test("a longer one is not sent, and says so", () => {
  const { field, sendMessage } = setUp();
  fill(field, "x".repeat(32_769));
  expect(screen.getByRole("alert")).toHaveTextContent("This message is too long to be sent");
  expect(field).toHaveAttribute("aria-invalid", "true");
  fireEvent.keyDown(field, { key: "Enter" });
  fireEvent.click(button());
  expect(sendMessage).not.toHaveBeenCalled();
  expect(field.value).toHaveLength(32_769);
});

test("a short message has no counter", () => {
  const { field } = setUp();
  fill(field, "x".repeat(30_000));
  expect(screen.queryByText(/characters/)).toBeNull();
});

test("the arrow up brings the last message back into an empty field only", async () => {
  const { user, field } = setUp({ lastMessage: "what I said" });
  await user.type(field, "{ArrowUp}");
  expect(field).toHaveValue("what I said");
  await user.clear(field);
  await user.type(field, "typed{ArrowUp}");
  expect(field).toHaveValue("typed");
});

test("a held key sends once", () => {
  const { field, sendMessage } = setUp();
  fill(field, "hello");
  const held = createEvent.keyDown(field, { key: "Enter", repeat: true });
  fireEvent(field, held);
  expect(sendMessage).not.toHaveBeenCalled();
  expect(held.defaultPrevented).toBe(true);
});
