import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { EMPTY_SESSION } from "@/session/state";
import { START, TURN } from "@/test/builders";
import { ChatContainer } from "./ChatContainer";
import { aPending, aSession, stateOf } from "./chat-harness";

const rendered = vi.hoisted(() => vi.fn());
vi.mock("./markdown", () => ({
  Markdown: ({ text }: { text: string }) => {
    rendered(text);
    return <p>{text}</p>;
  },
}));

const field = () => screen.getByRole("textbox", { name: "Message" });
const running = stateOf((w) => [w.message(), w.started(), w.piece("Hel")]);

beforeEach(() => {
  rendered.mockClear();
  window.sessionStorage.clear();
});

test("while the conversation is read, it is not called empty", () => {
  render(<ChatContainer session={aSession(EMPTY_SESSION, { isLoaded: false })} sessionId="one" />);
  expect(screen.getByRole("status")).toHaveTextContent("Loading the conversation");
  expect(screen.queryByRole("heading", { name: /Ask about/ })).toBeNull();
  expect(field()).toBeEnabled();
});

test("an empty conversation offers four questions that are asked by a click", async () => {
  const session = aSession(EMPTY_SESSION);
  render(<ChatContainer session={session} sessionId="one" />);
  expect(screen.getAllByRole("listitem")).toHaveLength(4);
  await userEvent.click(screen.getByRole("button", { name: "How many patients are there?" }));
  expect(session.sendMessage).toHaveBeenCalledExactlyOnceWith("How many patients are there?");
  expect(field()).toHaveFocus();
});

test("what the user has said is on the page before anybody has heard it", () => {
  const session = aSession(EMPTY_SESSION, { outbox: [aPending({ content: "hello" })] });
  render(<ChatContainer session={session} sessionId="one" />);
  expect(screen.getByText("hello")).toBeVisible();
});

test("a piece of an answer renders that answer anew and no other", () => {
  const before = stateOf((w) => [
    ...["a", "b"].flatMap((id) => [
      w.message({ turn_id: id }),
      w.started({ turn_id: id }),
      w.text(`answer ${id}`, { turn_id: id, message_id: `text ${id}` }),
      w.finished({ turn_id: id }),
    ]),
    w.message(),
    w.started(),
    w.piece("Hel"),
  ]);
  const after = stateOf((w) => [w.piece("lo")], before);
  const session = aSession(before);
  const { rerender } = render(<ChatContainer session={session} sessionId="one" />);
  rendered.mockClear();
  const { turns, messages } = aSession(after);
  rerender(<ChatContainer session={{ ...session, turns, messages }} sessionId="one" />);
  expect(rendered.mock.calls).toEqual([["Hello"]]);
});

test("typing renders no message", async () => {
  render(<ChatContainer session={aSession(running)} sessionId="one" />);
  rendered.mockClear();
  await userEvent.type(field(), "a long thought");
  expect(rendered).not.toHaveBeenCalled();
});

test("Esc stops the run, from the field and from the log", () => {
  const session = aSession(running);
  render(<ChatContainer session={session} sessionId="one" />);
  fireEvent.keyDown(field(), { key: "Escape" });
  fireEvent.keyDown(screen.getByRole("log"), { key: "Escape" });
  expect(session.stop).toHaveBeenCalledTimes(2);
  expect(session.stop).toHaveBeenCalledWith(TURN);
});

test("Esc does not stop the run while it composes, or belongs to a dialog or to a tooltip", () => {
  const session = aSession(running);
  render(
    <>
      <ChatContainer session={session} sessionId="one" />
      <div data-testid="tooltip" />
    </>,
  );
  fireEvent.keyDown(field(), { key: "Escape", isComposing: true });
  const taken = (event: Event) => event.preventDefault();
  document.addEventListener("keydown", taken, { capture: true });
  fireEvent.keyDown(field(), { key: "Escape" });
  document.removeEventListener("keydown", taken, { capture: true });
  screen.getByTestId("tooltip").setAttribute("role", "dialog");
  fireEvent.keyDown(field(), { key: "Escape" });
  expect(session.stop).not.toHaveBeenCalled();
});

test("a turn that waits can be stopped, too", async () => {
  const session = aSession(stateOf((w) => [w.message()]));
  render(<ChatContainer session={session} sessionId="one" />);
  await userEvent.click(screen.getByRole("button", { name: "Stop" }));
  expect(session.stop).toHaveBeenCalledExactlyOnceWith(TURN);
});

test("a failed turn is tried again with the same words", async () => {
  const session = aSession(
    stateOf((w) => [
      w.message({ content: "again" }),
      w.started(),
      w.finished({ status: "failed" }),
    ]),
  );
  render(<ChatContainer session={session} sessionId="one" />);
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(session.sendMessage).toHaveBeenCalledExactlyOnceWith("again");
});

test("a failure is an alert if this page has seen it happen, and none in a log just opened", () => {
  const failed = stateOf((w) => [w.finished({ status: "failed" })], running);
  const session = aSession(running);
  const { rerender, unmount } = render(<ChatContainer session={session} sessionId="one" />);
  rerender(<ChatContainer session={aSession(failed)} sessionId="one" />);
  expect(screen.getByRole("alert")).toHaveTextContent("The turn failed.");
  unmount();
  render(<ChatContainer session={aSession(failed)} sessionId="one" />);
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a turn for which there is no worker says so after three seconds", () => {
  vi.useFakeTimers({ now: START });
  const state = stateOf((w) => [w.message({ turn_id: "first" }), w.message({ turn_id: "second" })]);
  render(<ChatContainer session={aSession(state)} sessionId="one" />);
  expect(screen.queryByText(/Waiting/)).toBeNull();
  act(() => vi.advanceTimersByTime(4000));
  expect(screen.getByText("Waiting for a worker")).toBeVisible();
  expect(screen.getByText("Waiting: 1 turn before this one")).toBeVisible();
});

test("a page on which nothing happens has no timer", () => {
  vi.useFakeTimers({ now: START, toFake: ["setTimeout", "setInterval", "Date"] });
  const state = stateOf((w) => [w.message(), w.started(), w.text("Hi"), w.finished()]);
  render(<ChatContainer session={aSession(state)} sessionId="one" />);
  act(() => vi.advanceTimersByTime(60_000));
  expect(vi.getTimerCount()).toBe(0);
});

test("what the gateway found wrong is an alert until it is dismissed", async () => {
  const error = { code: "unavailable", error: "Redis is away.", isRetryable: true } as const;
  const session = aSession(EMPTY_SESSION, { error });
  render(<ChatContainer session={session} sessionId="one" />);
  expect(screen.getByRole("alert")).toHaveTextContent("Redis is away. unavailable");
  await userEvent.click(screen.getByRole("button", { name: "Dismiss the error" }));
  expect(session.dismissError).toHaveBeenCalledOnce();
});

test("another session has another conversation and another draft", async () => {
  const { rerender } = render(<ChatContainer session={aSession(running)} sessionId="one" />);
  await userEvent.type(field(), "for one");
  rerender(<ChatContainer session={aSession(EMPTY_SESSION)} sessionId="two" />);
  expect(field()).toHaveValue("");
  expect(screen.queryByText("Hel")).toBeNull();
});
