import { act, render, screen } from "@testing-library/react";
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
  rendered.mockReset();
  window.sessionStorage.clear();
});

test("while the conversation is read, it is not called empty", () => {
  render(
    <ChatContainer
      session={aSession(EMPTY_SESSION, { isLoaded: false })}
      sessionId="one"
      onShowSessions={vi.fn()}
    />,
  );
  expect(screen.getByRole("status")).toHaveTextContent("Loading the conversation");
  expect(screen.queryByRole("heading", { name: /Ask about/ })).toBeNull();
  expect(field()).toBeEnabled();
});

test("an empty conversation offers four questions that are asked by a click", async () => {
  const session = aSession(EMPTY_SESSION);
  render(<ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />);
  expect(screen.getAllByRole("listitem")).toHaveLength(4);
  await userEvent.click(screen.getByRole("button", { name: "How many patients are there?" }));
  expect(session.sendMessage).toHaveBeenCalledExactlyOnceWith("How many patients are there?");
  expect(field()).toHaveFocus();
});

test("what the user has said is on the page before anybody has heard it", () => {
  const session = aSession(EMPTY_SESSION, { outbox: [aPending({ content: "hello" })] });
  render(<ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />);
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
  const { rerender } = render(
    <ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />,
  );
  rendered.mockClear();
  const { turns, messages } = aSession(after);
  rerender(
    <ChatContainer
      session={{ ...session, turns, messages }}
      sessionId="one"
      onShowSessions={vi.fn()}
    />,
  );
  expect(rendered.mock.calls).toEqual([["Hello"]]);
});

test("typing renders no message", async () => {
  render(<ChatContainer session={aSession(running)} sessionId="one" onShowSessions={vi.fn()} />);
  rendered.mockClear();
  await userEvent.type(field(), "a long thought");
  expect(rendered).not.toHaveBeenCalled();
});

test("a turn that waits can be stopped, too", async () => {
  const session = aSession(stateOf((w) => [w.message()]));
  render(<ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />);
  await userEvent.click(screen.getByRole("button", { name: "Stop" }));
  expect(session.stop).toHaveBeenCalledExactlyOnceWith(TURN);
});

const failed = stateOf((w) => [
  w.message({ content: "again" }),
  w.started(),
  w.finished({ status: "failed" }),
]);

test("a failed turn is tried again with the same words, once", async () => {
  const session = aSession(failed);
  const { rerender } = render(
    <ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />,
  );
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(session.sendMessage).toHaveBeenCalledExactlyOnceWith("again");
  const { messages } = aSession(failed, {
    outbox: [aPending({ content: "again", state: "sent" })],
  });
  rerender(
    <ChatContainer session={{ ...session, messages }} sessionId="one" onShowSessions={vi.fn()} />,
  );
  expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
  expect(screen.getByRole("log")).toHaveFocus();
});

test("a failed turn after which somebody has said something is past", () => {
  const after = stateOf((w) => [w.message({ turn_id: "later" })], failed);
  render(<ChatContainer session={aSession(after)} sessionId="one" onShowSessions={vi.fn()} />);
  expect(screen.getByText("The turn failed.")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
});

const REFUSED = { code: "too_many", error: "Too many.", isRetryable: true } as const;

test.each([
  ["waiting", "Remove"],
  ["refused", "Remove"],
  ["refused", "Retry"],
] as const)("of a %s message, %s leaves its focus to the log", async (state, name) => {
  const pending = aPending({ state, error: state === "refused" ? REFUSED : null });
  const session = aSession(failed, { outbox: [pending] });
  const { rerender } = render(
    <ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />,
  );
  await userEvent.click(screen.getByRole("button", { name }));
  const outbox = name === "Retry" ? [aPending({ state: "sent" })] : [];
  rerender(
    <ChatContainer
      session={{ ...session, ...aSession(failed, { outbox }) }}
      sessionId="one"
      onShowSessions={vi.fn()}
    />,
  );
  expect(screen.getByRole("log")).toHaveFocus();
});

test("a turn for which there is no worker says so after three seconds", () => {
  vi.useFakeTimers({ now: START });
  const state = stateOf((w) => [w.message({ turn_id: "first" }), w.message({ turn_id: "second" })]);
  render(<ChatContainer session={aSession(state)} sessionId="one" onShowSessions={vi.fn()} />);
  expect(screen.queryByText(/Waiting/)).toBeNull();
  act(() => vi.advanceTimersByTime(4000));
  expect(screen.getByText("Waiting for a worker")).toBeVisible();
  expect(screen.getByText("Waiting: 1 turn before this one")).toBeVisible();
});

test("a page on which nothing happens has no timer", () => {
  vi.useFakeTimers({ now: START, toFake: ["setTimeout", "setInterval", "Date"] });
  const state = stateOf((w) => [w.message(), w.started(), w.text("Hi"), w.finished()]);
  render(<ChatContainer session={aSession(state)} sessionId="one" onShowSessions={vi.fn()} />);
  act(() => vi.advanceTimersByTime(60_000));
  expect(vi.getTimerCount()).toBe(0);
});

test("what the gateway found wrong is an alert until it is dismissed", async () => {
  const error = { code: "unavailable", error: "Redis is away.", isRetryable: true } as const;
  const session = aSession(EMPTY_SESSION, { error });
  const { rerender } = render(
    <ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />,
  );
  expect(screen.getByRole("alert")).toHaveTextContent("Redis is away. unavailable");
  await userEvent.click(screen.getByRole("button", { name: "Dismiss the error" }));
  expect(session.dismissError).toHaveBeenCalledOnce();
  rerender(
    <ChatContainer
      session={{ ...session, error: null }}
      sessionId="one"
      onShowSessions={vi.fn()}
    />,
  );
  expect(field()).toHaveFocus();
});

test("when the conversation cannot be shown, one can still write", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  rendered.mockImplementation(() => {
    throw new RangeError("Maximum call stack size exceeded");
  });
  const session = aSession(running);
  render(<ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />);
  expect(screen.getByRole("alert")).toHaveTextContent("The conversation cannot be shown");
  await userEvent.type(field(), "still here{Enter}");
  expect(session.sendMessage).toHaveBeenCalledExactlyOnceWith("still here");
});

test("another session has another conversation and another draft", async () => {
  const { rerender } = render(
    <ChatContainer session={aSession(running)} sessionId="one" onShowSessions={vi.fn()} />,
  );
  await userEvent.type(field(), "for one");
  rerender(
    <ChatContainer session={aSession(EMPTY_SESSION)} sessionId="two" onShowSessions={vi.fn()} />,
  );
  expect(field()).toHaveValue("");
  expect(screen.queryByText("Hel")).toBeNull();
});

test.each([
  ["unauthorized", "You are signed out"],
  ["forbidden", "You may not open this session"],
] as const)("%s: what cannot be read is not called loading", (reason, title) => {
  const connection = { state: "disconnected", reason, reconnects: 0 } as const;
  const session = aSession(EMPTY_SESSION, { isLoaded: false, connection });
  render(<ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />);
  expect(screen.getByRole("region", { name: title })).toBeVisible();
  expect(screen.queryByRole("status")).toBeNull();
  expect(field()).toBeEnabled();
});

test("who is signed out still sees what was read, and what waits", () => {
  const connection = { state: "disconnected", reason: "unauthorized", reconnects: 1 } as const;
  const session = aSession(running, { connection, outbox: [aPending({ content: "later" })] });
  render(<ChatContainer session={session} sessionId="one" onShowSessions={vi.fn()} />);
  expect(screen.getByRole("region", { name: "You are signed out" })).toBeVisible();
  expect(screen.getByText("Hel")).toBeVisible();
  expect(screen.getByText("later")).toBeVisible();
});
