import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { useLink } from "@/app/link";
import { setPreference } from "@/app/preferences";
import type { Frame } from "@/protocol/guard";
import { messagesOf } from "@/session/messages";
import { type FrameWriter, START, TURN } from "@/test/builders";
import { turnOf } from "./chat-harness";
import { StreamingMessage } from "./StreamingMessage";

type Write = (writer: FrameWriter) => readonly Frame[];

function element(write: Write, fields: { onRetry?: () => void }) {
  const message = messagesOf([turnOf(write)], [])[1];
  if (message?.role !== "assistant") throw new Error("no answer");
  return (
    <StreamingMessage
      message={message}
      clockSkewMs={0}
      turnsBefore={0}
      marked={null}
      onRetry={vi.fn()}
      {...fields}
    />
  );
}

function show(write: Write, fields: { onRetry?: () => void } = {}) {
  const { rerender } = render(element(write, fields));
  return { change: (changed: Write) => rerender(element(changed, fields)) };
}

const begun = (w: FrameWriter) => [w.message(), w.started()];
const failure = { code: "model_error", error: "The model provider answered with an error." };
const failed: Write = (w) => [...begun(w), w.finished({ status: "failed", error: failure })];

beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ["Date", "setInterval", "clearInterval"] });
  useLink.setState({ panelTurn: null, chatPlace: null, hovered: null });
  setPreference("showWhenFinished", false);
});

test("an answer is an article, busy while it grows, under a heading that says who and when", () => {
  const { change } = show((w) => [...begun(w), w.piece("Hel")]);
  const heading = screen.getByRole("heading", { level: 3, name: /^Assistant, \d\d:\d\d$/ });
  const article = screen.getByRole("article");
  expect(article).toHaveAttribute("aria-labelledby", heading.id);
  expect(article).toHaveAttribute("aria-busy", "true");
  change((w) => [...begun(w), w.text("Hello"), w.finished()]);
  expect(article).toHaveAttribute("aria-busy", "false");
});

test("all text that has come is shown at once, as Markdown", async () => {
  const { change } = show((w) => [...begun(w), w.piece("There are **6")]);
  expect((await screen.findByText("6")).tagName).toBe("STRONG");
  change((w) => [...begun(w), w.piece("There are **6"), w.piece("7** patients.")]);
  expect(screen.getByText("67").tagName).toBe("STRONG");
});

test("the assistant is seen to work until it says something", () => {
  const { change } = show(begun);
  expect(screen.getByText("The assistant is working")).toBeInTheDocument();
  change((w) => [...begun(w), w.piece("Hel")]);
  expect(screen.queryByText("The assistant is working")).toBeNull();
});

test("a step is told while it runs, and by its time when it is done", () => {
  const { change } = show((w) => [...begun(w), w.toolCall()]);
  expect(screen.getByRole("button", { name: "Searching: search_patients…" })).toBeVisible();
  change((w) => [...begun(w), w.toolCall(), w.toolResult({ duration_ms: 120 })]);
  expect(screen.getByRole("button", { name: "search_patients done 120 ms" })).toBeVisible();
  change((w) => [...begun(w), w.toolCall(), w.toolResult({ is_error: true })]);
  expect(screen.getByRole("button", { name: "search_patients failed 120 ms" })).toBeVisible();
});

test("steps stand between the texts where they were taken", () => {
  show((w) => [
    ...begun(w),
    w.text("Let me look.", { message_id: "x1" }),
    w.toolCall(),
    w.toolResult(),
    w.piece("Found one.", { message_id: "x2" }),
  ]);
  const told = screen.getByRole("article").textContent;
  expect(told).toMatch(/Let me look\..*search_patients.*Found one\./);
});

const threeTools: Write = (w) => [
  ...begun(w),
  ...["a", "b", "c"].flatMap((id) => [
    w.toolCall({ tool_call_id: id }),
    w.toolResult({ tool_call_id: id }),
  ]),
];

test("when the turn is over its steps are one line, which opens", async () => {
  const { change } = show(threeTools);
  expect(screen.getAllByRole("listitem")).toHaveLength(3);
  change((w) => [...threeTools(w), w.text("Done."), w.finished()]);
  expect(screen.queryByRole("listitem")).toBeNull();
  const line = screen.getByRole("button", { name: "Used 3 tools" });
  expect(line).toHaveAttribute("aria-expanded", "false");
  await userEvent.click(line);
  expect(line).toHaveAttribute("aria-expanded", "true");
  expect(screen.getAllByRole("listitem")).toHaveLength(3);
});

test("of many steps the newest are seen while the turn runs, and all on demand", async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
  show((w) => [...begun(w), ...ids.map((id) => w.toolCall({ tool_call_id: id }))]);
  expect(screen.getAllByRole("listitem")).toHaveLength(6);
  await userEvent.click(screen.getByRole("button", { name: "Using 20 tools" }));
  expect(screen.getAllByRole("listitem")).toHaveLength(20);
});

test("a step and its row in the panel light up together", async () => {
  show((w) => [...begun(w), w.toolCall()]);
  const step = screen.getByRole("button", { name: /search_patients/ });
  await userEvent.hover(step);
  expect(useLink.getState().hovered).toBe("tool-1");
  await userEvent.unhover(step);
  expect(useLink.getState().hovered).toBeNull();
  act(() => useLink.getState().hover("tool-1"));
  expect(step).toHaveAttribute("data-hovered");
});

test("thinking is there to be opened, and closed until then", async () => {
  show((w) => [
    ...begun(w),
    w.event("reasoning", { attempt: 1, message_id: "r", streaming: false, content: "A **hunch**" }),
    w.text("Yes."),
    w.finished(),
  ]);
  expect(screen.queryByText("hunch")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Thinking", expanded: false }));
  expect((await screen.findByText("hunch")).tagName).toBe("STRONG");
});

test("under the answer stands what it took, and leads to its rows in the panel", async () => {
  show((w) => [
    ...begun(w),
    w.modelCall(),
    w.modelResponse(),
    w.toolCall(),
    w.toolResult(),
    w.text("Yes."),
    w.finished({ duration_ms: 4100 }),
  ]);
  const name = "1 tool · 1 model call · 18 tokens · 4.1 s";
  await userEvent.click(screen.getByRole("button", { name }));
  expect(useLink.getState().panelTurn).toBe(TURN);
});

test("what the answer takes counts up while it grows", () => {
  show((w) => [...begun(w), w.modelCall(), w.modelResponse()]);
  act(() => vi.advanceTimersByTime(5000));
  expect(screen.getByRole("button", { name: "1 model call · 18 tokens · 4 s" })).toBeVisible();
});

test("a failed turn says why, by its code too, and can be tried again", async () => {
  const onRetry = vi.fn();
  show(failed, { onRetry });
  expect(screen.getByText(failure.error)).toBeVisible();
  expect(screen.getByText("model_error")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(onRetry).toHaveBeenCalledExactlyOnceWith("hi");
});

test("a failure is no alert: the announcer tells of it, once", () => {
  show(failed);
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a stopped turn keeps what was said, and says that it was stopped", () => {
  show((w) => [...begun(w), w.text("I had"), w.finished({ status: "cancelled" })]);
  expect(screen.getByText("I had")).toBeVisible();
  expect(screen.getByText("Stopped")).toBeVisible();
});

test("a takeover is told, and no reason for it, which nobody knows here", () => {
  show((w) => [...begun(w), w.started({ attempt: 2 })]);
  expect(screen.getByText("Another worker took over (attempt 2)")).toBeVisible();
});

test("the whole answer can be copied, once it is whole", async () => {
  const user = userEvent.setup();
  const { change } = show((w) => [...begun(w), w.piece("One")]);
  expect(screen.queryByRole("button", { name: "Copy answer" })).toBeNull();
  change((w) => [
    ...begun(w),
    w.text("One", { message_id: "x1" }),
    w.text("**Two**", { message_id: "x2" }),
    w.finished(),
  ]);
  await user.click(screen.getByRole("button", { name: "Copy answer" }));
  expect(await navigator.clipboard.readText()).toBe("One\n\n**Two**");
});

test("a JSON answer is set as code", async () => {
  show((w) => [...begun(w), w.text('{"total":67}'), w.finished()]);
  const code = await screen.findByRole("group", { name: "Code, json" });
  expect(code).toHaveTextContent('{ "total": 67 }');
});

test("whoever wants whole replies sees steps while it runs, and the text when it is whole", () => {
  setPreference("showWhenFinished", true);
  const { change } = show((w) => [...begun(w), w.toolCall(), w.toolResult(), w.piece("Hel")]);
  expect(screen.queryByText("Hel")).toBeNull();
  expect(screen.getByRole("button", { name: /search_patients/ })).toBeVisible();
  expect(screen.getByText("The assistant is working")).toBeInTheDocument();
  change((w) => [...begun(w), w.toolCall(), w.toolResult(), w.text("Hello"), w.finished()]);
  expect(screen.getByText("Hello")).toBeVisible();
});
