import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { UserMessage } from "@/session/messages";
import type { PendingMessage } from "@/session/state";
import { START } from "@/test/builders";
import { aPending } from "./chat-harness";
import { UserBubble } from "./user-bubble";

function show(fields: Partial<UserMessage> = {}, clockSkewMs = 0) {
  const message: UserMessage = {
    role: "user",
    id: "m1",
    turnId: "m1",
    content: "hello",
    at: START,
    pending: null,
    ...fields,
  };
  const retryMessage = vi.fn();
  const dropMessage = vi.fn();
  render(
    <UserBubble
      message={message}
      clockSkewMs={clockSkewMs}
      isMarked={false}
      retryMessage={retryMessage}
      dropMessage={dropMessage}
    />,
  );
  return { retryMessage, dropMessage };
}

function showPending(fields: Partial<PendingMessage>) {
  const pending = aPending(fields);
  return show({ id: pending.id, content: pending.content, at: pending.at, pending });
}

test("what was typed is shown as it was typed, as text", () => {
  show({ content: "one\n  <b>two</b>" });
  const bubble = screen.getByText(/one/);
  expect(bubble.textContent).toBe("one\n  <b>two</b>");
  expect(bubble).toHaveAttribute("dir", "auto");
  expect(bubble).toHaveClass("whitespace-pre-wrap", "wrap-anywhere");
});

test("it is an article under a heading that says who and when", () => {
  show();
  const heading = screen.getByRole("heading", { level: 3, name: /^You, \d\d:\d\d$/ });
  expect(screen.getByRole("article")).toHaveAttribute("aria-labelledby", heading.id);
});

test("its age counts from the gateway's clock, however wrong ours is", () => {
  vi.useFakeTimers({ now: START - 10 * 60_000 + 2 * 60_000 });
  show({}, 10 * 60_000);
  const time = screen.getByText("2m ago");
  expect(time.tagName).toBe("TIME");
  expect(time).toHaveAttribute("dateTime", new Date(START - 10 * 60_000).toISOString());
  expect(time).toHaveAttribute("title");
});

test("a message that the log has lost says so", () => {
  show({ content: null });
  expect(screen.getByText("This message is no longer in the log.")).toBeVisible();
});

test("without a connection it waits to be sent, and can be taken back", async () => {
  const { dropMessage } = showPending({ state: "waiting" });
  expect(screen.getByText("Waiting to be sent")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Remove" }));
  expect(dropMessage).toHaveBeenCalledExactlyOnceWith("pending-1");
});

test("that it is being sent is said only when it takes a moment", () => {
  vi.useFakeTimers({ now: START });
  showPending({ state: "sent" });
  expect(screen.queryByText("Sending…")).toBeNull();
  act(() => vi.advanceTimersByTime(2000));
  expect(screen.getByText("Sending…")).toBeVisible();
});

const REFUSAL = {
  code: "too_many",
  error: "Too many messages are waiting.",
  isRetryable: true,
} as const;

test("a refused message says why, and can be said again or removed", async () => {
  const { retryMessage, dropMessage } = showPending({ state: "refused", error: REFUSAL });
  expect(screen.getByRole("alert")).toHaveTextContent("Not sent: Too many messages are waiting.");
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(retryMessage).toHaveBeenCalledExactlyOnceWith("pending-1");
  await userEvent.click(screen.getByRole("button", { name: "Remove" }));
  expect(dropMessage).toHaveBeenCalledExactlyOnceWith("pending-1");
});

test("what would be refused again cannot be retried", () => {
  showPending({ state: "refused", error: { ...REFUSAL, isRetryable: false } });
  expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
  expect(screen.getByRole("button", { name: "Remove" })).toBeVisible();
});
