import { act, render, screen, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useLink } from "@/app/link";
import { messagesOf } from "@/session/messages";
import type { PendingMessage, SessionState } from "@/session/state";
import { START } from "@/test/builders";
import { stateOf } from "./chat-harness";
import { MessageList } from "./message-list";

const actions = {
  sendMessage: vi.fn(() => "sent-1"),
  retryMessage: vi.fn(),
  dropMessage: vi.fn(),
};

function element(state: SessionState, outbox: readonly PendingMessage[] = []) {
  return (
    <MessageList
      messages={messagesOf(state.turns, outbox)}
      turns={state.turns}
      isTruncated={state.isTruncated}
      clockSkewMs={0}
      actions={actions}
    />
  );
}

/** Turns `turn-0`, `turn-1` …, each answered. */
function conversation(turns: number): SessionState {
  const ids = Array.from({ length: turns }, (_, index) => `turn-${index}`);
  return stateOf((w) =>
    ids.flatMap((id) => [
      w.message({ turn_id: id, content: `Question ${id}` }),
      w.started({ turn_id: id }),
      w.toolCall({ turn_id: id, tool_call_id: `tool of ${id}` }),
      w.toolResult({ turn_id: id, tool_call_id: `tool of ${id}` }),
      w.text(`Answer ${id}`, { turn_id: id, message_id: `text of ${id}` }),
      w.finished({ turn_id: id }),
    ]),
  );
}

const answer = (text: string) => {
  const article = screen.getByText(text).closest("article");
  if (article === null) throw new Error(`${text} is in no article`);
  return article;
};

beforeEach(() => {
  vi.useFakeTimers({ now: START, shouldAdvanceTime: true });
  useLink.setState({ panelTurn: null, chatPlace: null, hovered: null });
});

test("the log is reached by keyboard, has a name, and does not speak by itself", () => {
  render(element(conversation(1)));
  const log = screen.getByRole("log", { name: "Messages" });
  expect(log).toHaveAttribute("aria-live", "off");
  expect(log).toHaveAttribute("tabindex", "0");
  expect(within(log).getAllByRole("article")).toHaveLength(2);
});

test("a log without its beginning says so at its top", () => {
  render(element({ ...conversation(1), isTruncated: true }));
  expect(
    screen.getByText("The beginning of this conversation is no longer in the log."),
  ).toBeInTheDocument();
});

test("the place that the panel names gets the focus and is marked for two seconds", () => {
  render(element(conversation(3)));
  act(() => useLink.getState().showInChat("turn-1"));
  expect(answer("Answer turn-1")).toHaveFocus();
  const bubble = answer("Answer turn-1").querySelector("[data-bubble]");
  expect(bubble).toHaveAttribute("data-marked");
  act(() => vi.advanceTimersByTime(2000));
  expect(bubble).not.toHaveAttribute("data-marked");
});

test("a step is opened and gets the focus", () => {
  render(element(conversation(3)));
  expect(screen.queryByRole("button", { name: /search_patients/ })).toBeNull();
  act(() => useLink.getState().showInChat("turn-1", "tool of turn-1"));
  expect(screen.getByRole("button", { name: /search_patients/ })).toHaveFocus();
});

test("the same place is shown as often as it is asked for", () => {
  render(element(conversation(3)));
  act(() => useLink.getState().showInChat("turn-1"));
  act(() => screen.getByRole("log").focus());
  act(() => useLink.getState().showInChat("turn-1"));
  expect(answer("Answer turn-1")).toHaveFocus();
});

test("of a turn that waits the question is the place", () => {
  render(element(stateOf((w) => [w.message({ content: "Anybody?" })])));
  const [{ id = "" } = {}] = stateOf((w) => [w.message()]).turns;
  act(() => useLink.getState().showInChat(id));
  expect(answer("Anybody?")).toHaveFocus();
});

test("an old place is not shown to a list that comes later", () => {
  act(() => useLink.getState().showInChat("turn-1"));
  render(element(conversation(3)));
  expect(document.body).toHaveFocus();
});
