import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { useLink } from "@/app/link";
import { FrameWriter, START, TURN } from "@/test/builders";
import { at, renderPanel } from "./panel-fixture";

const SECOND_TURN = "22222222-2222-4222-8222-222222222222";
const second = { turn_id: SECOND_TURN };

function aSession(log = new FrameWriter()) {
  return [
    log.message({ ...at(0), content: "How many\n patients?" }),
    log.started(at(400)),
    log.modelCall(at(500)),
    log.modelResponse({ ...at(800), duration_ms: 300, time_to_first_token_ms: 75 }),
    log.toolCall(at(810)),
    log.toolResult({ ...at(930), duration_ms: 120 }),
    log.finished({ ...at(1000), duration_ms: 600 }),
  ];
}

/** Only what ticks: what a library does by time-outs of its own is nobody's business here. */
function fakeClock(now: number): void {
  vi.useFakeTimers({ now, toFake: ["Date", "setInterval", "clearInterval"] });
}

const row = (name: RegExp) => screen.getByRole("button", { name });

describe("the telemetry panel", () => {
  it("is a skeleton until the log has been read", () => {
    renderPanel([], { isLoaded: false });
    expect(screen.getByText("Loading the telemetry")).toBeInTheDocument();
  });

  it("is no skeleton where nothing can be read", () => {
    renderPanel([], { isLoaded: false, isClosed: true });
    expect(screen.queryByText("Loading the telemetry")).toBeNull();
    expect(screen.getByText("The session is not open.")).toBeInTheDocument();
  });

  it("says what will be here before anything has happened", () => {
    renderPanel([]);
    expect(screen.getByRole("heading", { level: 2, name: "Telemetry" })).toBeInTheDocument();
    expect(screen.getByText("Nothing has happened yet")).toBeInTheDocument();
  });

  it("sums up the session", () => {
    renderPanel(aSession());
    const totals = screen.getByLabelText("Session totals");
    const told = within(totals)
      .getAllByRole("term")
      .map((term) => [term.textContent, term.nextSibling?.textContent]);
    expect(told).toEqual([
      ["Turns", "1"],
      ["Model calls", "1"],
      ["Tool calls", "1"],
      ["Tokens in / out", "11 / 7"],
      ["Worked", "600 ms"],
      ["Errors", "0"],
    ]);
  });

  it("heads a turn with its question in one line, how it went and what it came to", () => {
    renderPanel(aSession());
    expect(
      screen.getByRole("heading", { level: 3, name: "How many patients? done" }),
    ).toBeInTheDocument();
    expect(
      screen.getByText("1 model call · 1 tool call · 11 tokens in, 7 out · 600 ms"),
    ).toBeInTheDocument();
  });

  it("has each step as a row that says kind, name, status, duration and tokens", () => {
    renderPanel(aSession());
    const steps = within(screen.getByRole("list", { name: "Steps" })).getAllByRole("button");
    expect(steps.map((step) => step.textContent?.replace(/\s+/g, " ").trim())).toEqual([
      "Queue Waited for a worker done 400 ms",
      "Attempt 1 worker-1 done 600 ms",
      "Model gpt-5-mini done 300 ms 11 in, 7 out",
      "Tool search_patients done 120 ms",
    ]);
  });

  it("draws a step where it lies on the turn's axis, and the first token where it came", () => {
    renderPanel(aSession());
    const bar = row(/^Model g/).querySelector<HTMLElement>("[data-bar]")?.parentElement;
    expect(bar?.style.getPropertyValue("--start")).toBe("500");
    expect(bar?.style.getPropertyValue("--length")).toBe("300");
    expect(bar).toHaveAttribute("aria-hidden", "true");
    expect(bar?.querySelector<HTMLElement>("[data-first-token]")?.style.left).toBe("25%");
  });

  it("nests steps in lists of their parents", () => {
    const log = new FrameWriter();
    renderPanel([
      log.message(),
      log.started(),
      log.toolCall({ tool_name: "delegate", span_id: "outer" }),
      log.modelCall({ span_id: "inner", parent_span_id: "outer" }),
    ]);
    const nested = screen.getByRole("list", { name: "Steps of delegate" });
    expect(within(nested).getByRole("button", { name: /Model gpt-5-mini/ })).toBeInTheDocument();
  });

  it("marks a takeover, and what belongs to the attempt that was lost", () => {
    const log = new FrameWriter();
    renderPanel([
      log.message(),
      log.started(),
      log.toolCall(),
      log.started({ attempt: 2, worker: "worker-2" }),
      log.toolCall({ attempt: 2, tool_call_id: "tool-2" }),
    ]);
    expect(row(/Attempt 1 worker-1 lost/)).toBeInTheDocument();
    expect(row(/Attempt 2 worker-2 takeover running/)).toBeInTheDocument();
    expect(row(/Tool search_patients attempt 1 no result/)).toBeInTheDocument();
    expect(row(/Tool search_patients running/)).toBeInTheDocument();
  });

  it("shows events that have no turn", async () => {
    const log = new FrameWriter();
    renderPanel([
      log.event("error", { turn_id: undefined, code: "internal", error: "Odd.", retryable: false }),
    ]);
    expect(screen.getByRole("heading", { level: 3, name: "Outside any turn" })).toBeInTheDocument();
    expect(row(/Error internal Odd\. failed/)).toBeInTheDocument();
  });

  it("has nothing that axe finds wrong", async () => {
    const { container } = renderPanel([...aSession()]);
    await userEvent.click(row(/^Tool s/));
    await screen.findByText("Tool call id");
    const rules = { "color-contrast": { enabled: false }, region: { enabled: false } };
    const { violations } = await axe.run(container, { rules });
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });
});

describe("a turn that runs", () => {
  it("has the row of a tool call before its result, and it grows until the result is there", () => {
    fakeClock(START + 100);
    const log = new FrameWriter();
    const { receive } = renderPanel([log.message(at(0)), log.started(at(10))]);
    receive(log.toolCall(at(100)));
    const length = () =>
      row(/^Tool s/)
        .querySelector("[data-bar]")
        ?.parentElement?.style.getPropertyValue("--length");
    expect(row(/Tool search_patients running/)).toBeInTheDocument();
    act(() => vi.advanceTimersByTime(1000));
    expect(length()).toBe("1000");
    act(() => vi.advanceTimersByTime(500));
    expect(length()).toBe("1500");
    expect(row(/running 1.5 s/)).toBeInTheDocument();
    receive(log.toolResult({ ...at(1700), duration_ms: 1600 }), log.finished(at(1710)));
    act(() => vi.advanceTimersByTime(5000));
    expect(length()).toBe("1600");
    expect(row(/Tool search_patients done 1.6 s/)).toBeInTheDocument();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("counts by the gateway's clock", () => {
    fakeClock(START);
    const log = new FrameWriter();
    renderPanel([log.message(at(0)), log.started(at(0))], { clockSkewMs: 3000 });
    expect(row(/Attempt 1 worker-1 running 3.0 s/)).toBeInTheDocument();
  });

  it("does not tick while the page is hidden", () => {
    fakeClock(START);
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const log = new FrameWriter();
    renderPanel([log.message(at(0)), log.started(at(0))]);
    act(() => vi.advanceTimersByTime(100)); // jsdom paints by an interval, once
    expect(vi.getTimerCount()).toBe(0);
    hidden.mockReturnValue(false);
    act(() => vi.setSystemTime(START + 2000));
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    expect(row(/Attempt 1 worker-1 running 2.0 s/)).toBeInTheDocument();
    expect(vi.getTimerCount()).toBe(1);
  });
});

describe("which turns are open", () => {
  const log = new FrameWriter();
  const first = aSession(log);
  const next = [log.message({ ...second, ...at(2000), content: "And then?" })];
  const header = (name: string) =>
    within(screen.getByRole("heading", { name: new RegExp(name) })).getByRole("button");

  it("the newest is, and closes by itself when another one comes", () => {
    const { receive } = renderPanel(first);
    expect(header("How many")).toHaveAttribute("aria-expanded", "true");
    receive(...next);
    expect(header("How many")).toHaveAttribute("aria-expanded", "false");
    expect(header("And then")).toHaveAttribute("aria-expanded", "true");
  });

  it("one that the reader works in stays open", async () => {
    const { receive } = renderPanel(first);
    await userEvent.click(row(/^Tool s/));
    receive(...next);
    expect(header("How many")).toHaveAttribute("aria-expanded", "true");
  });

  it("one that the reader has closed stays closed", async () => {
    const { receive } = renderPanel(first);
    await userEvent.click(header("How many"));
    await userEvent.click(screen.getByRole("button", { name: "Expand all" }));
    await userEvent.click(screen.getByRole("button", { name: "Collapse all" }));
    receive(log.event("custom", { ...at(2500), attempt: 1, name: "late", data: {} }));
    expect(header("How many")).toHaveAttribute("aria-expanded", "false");
  });

  it("the one that the chat points at is, alone, until all are shown again", async () => {
    renderPanel([...first, ...next]);
    act(() => useLink.getState().focusPanel(TURN));
    expect(screen.getAllByRole("heading", { level: 3 })).toHaveLength(1);
    expect(header("How many")).toHaveAttribute("aria-expanded", "true");
    expect(screen.getByText("Showing one turn")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(screen.getAllByRole("heading", { level: 3 })).toHaveLength(2);
    expect(screen.getByRole("group", { name: "Waterfall" })).toHaveFocus();
  });
});
