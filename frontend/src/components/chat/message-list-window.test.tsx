import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useLink } from "@/app/link";
import { type Message, messagesOf } from "@/session/messages";
import type { PendingMessage } from "@/session/state";
import { aPending, stateOf } from "./chat-harness";
import { MessageList } from "./message-list";

// Which messages are on the page is the question here, and a bare one is quick to make.
vi.mock("./message-item", () => ({
  MessageItem: ({ message }: { message: Message }) => (
    <li data-message={message.id}>
      <article tabIndex={-1}>{message.id}</article>
    </li>
  ),
}));

const actions = { sendMessage: vi.fn(), retryMessage: vi.fn(), dropMessage: vi.fn() };
const TURNS = 150;
const FIRST = "turn-0";
const LAST = `turn-${TURNS - 1}/answer`;
const { turns } = stateOf((w) =>
  Array.from({ length: TURNS }, (_, index) => w.message({ turn_id: `turn-${index}` })),
);

function element(outbox: readonly PendingMessage[] = [], isTruncated = false) {
  return (
    <MessageList
      messages={messagesOf(turns, outbox)}
      turns={turns}
      isTruncated={isTruncated}
      clockSkewMs={0}
      actions={actions}
    />
  );
}

const click = (name: string) => fireEvent.click(screen.getByText(name));
const count = () => document.querySelectorAll("li").length;

beforeEach(() => useLink.setState({ panelTurn: null, chatPlace: null, hovered: null }));

test("of a long conversation the newest 200 messages are on the page", () => {
  render(element());
  expect(count()).toBe(200);
  expect(screen.queryByText(FIRST)).toBeNull();
  expect(screen.getByText(LAST)).toBeInTheDocument();
});

test("earlier messages are a button away, and later ones then, too", () => {
  render(element());
  click("Load earlier messages");
  expect(count()).toBe(200);
  expect(screen.getByText(FIRST)).toBeInTheDocument();
  expect(screen.queryByText(LAST)).toBeNull();
  click("Load later messages");
  expect(screen.getByText(LAST)).toBeInTheDocument();
  expect(screen.queryByText("Load later messages")).toBeNull();
});

test("the button that has nothing more to load leaves its focus to the log", () => {
  render(element());
  screen.getByText("Load earlier messages").focus();
  click("Load earlier messages");
  expect(screen.queryByText("Load earlier messages")).toBeNull();
  expect(screen.getByRole("log")).toHaveFocus();
});

test("so does the button for later ones", () => {
  render(element());
  click("Load earlier messages");
  screen.getByText("Load later messages").focus();
  click("Load later messages");
  expect(screen.queryByText("Load later messages")).toBeNull();
  expect(screen.getByRole("log")).toHaveFocus();
});

test("that the log lacks its beginning is said where the beginning would be", () => {
  render(element([], true));
  const notice = "The beginning of this conversation is no longer in the log.";
  expect(screen.queryByText(notice)).toBeNull();
  click("Load earlier messages");
  expect(screen.getByText(notice)).toBeInTheDocument();
});

test("the jump to the latest leads back from earlier messages", () => {
  render(element());
  click("Load earlier messages");
  click("Jump to latest");
  expect(screen.getByText(LAST)).toBeInTheDocument();
  expect(screen.queryByText("Jump to latest")).toBeNull();
});

test("an own message leads back to the latest", () => {
  const { rerender } = render(element());
  click("Load earlier messages");
  rerender(element([aPending({ id: "mine" })]));
  expect(screen.getByText("mine")).toBeInTheDocument();
});

test("a place among the earlier messages is brought onto the page", () => {
  render(element());
  act(() => useLink.getState().showInChat("turn-2"));
  expect(screen.getByText("turn-2/answer")).toHaveFocus();
  expect(count()).toBe(200);
});
