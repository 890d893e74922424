import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Frame } from "@/protocol/guard";
import { FrameWriter } from "@/test/builders";
import { at, renderPanel } from "./panel-fixture";
import { ordered } from "./table-order";

vi.mock("./table-order", { spy: true });

const second = { turn_id: "22222222-2222-4222-8222-222222222222" };

function twoTurns(): Frame[] {
  const log = new FrameWriter();
  return [
    log.message({ ...at(0), content: "First" }),
    log.started(at(10)),
    log.modelCall(at(20)),
    log.modelResponse({ ...at(320), duration_ms: 300 }),
    log.toolCall({ ...at(330), arguments: { name: "Lovelace" } }),
    log.toolResult({ ...at(340), duration_ms: 10 }),
    log.finished(at(400)),
    log.message({ ...second, ...at(500), content: "Second" }),
    log.started({ ...second, ...at(510) }),
    log.modelCall({ ...second, ...at(520), call_id: "model-2", model: "other-model" }),
  ];
}

function manyCalls(count: number): Frame[] {
  const log = new FrameWriter();
  const begin = [log.message(), log.started()];
  const calls = Array.from({ length: count }, (_, index) => [
    log.toolCall({ tool_call_id: `c${index}`, tool_name: `tool_${index}` }),
    log.toolResult({ tool_call_id: `c${index}`, tool_name: `tool_${index}` }),
  ]);
  return [...begin, ...calls.flat(), log.finished()];
}

const rowNames = () =>
  [...document.querySelectorAll("[data-row]")].map((row) => row.getAttribute("data-row"));

describe("the filter by kind", () => {
  it("hides a kind and shows it again", async () => {
    renderPanel(twoTurns());
    await userEvent.click(screen.getByRole("button", { name: "Expand all" }));
    const tools = screen.getByRole("button", { name: "Tool" });
    expect(tools).toHaveAttribute("aria-pressed", "true");
    await userEvent.click(tools);
    expect(tools).toHaveAttribute("aria-pressed", "false");
    await userEvent.click(screen.getByRole("button", { name: "Other" }));
    expect(rowNames()).toEqual(["model", "model"]);
    await userEvent.click(tools);
    expect(rowNames()).toEqual(["model", "tool", "model"]);
  });
});

describe("the search", () => {
  it("finds in all turns, also in closed ones, and counts", async () => {
    renderPanel(twoTurns());
    const field = screen.getByRole("searchbox", { name: "Search the telemetry" });
    await userEvent.type(field, "lovelace");
    expect(rowNames()).toEqual(["tool"]);
    expect(screen.getAllByRole("heading", { level: 3 })).toHaveLength(1);
    expect(field).toHaveAccessibleDescription("1 match");
  });

  it("says when nothing matches", async () => {
    renderPanel(twoTurns());
    await userEvent.type(screen.getByRole("searchbox"), "nowhere");
    expect(screen.getAllByText(/^Nothing matches/)[0]).toBeInTheDocument();
  });

  it("is cleared by Escape, which then means nothing else", async () => {
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    renderPanel(twoTurns());
    const field = screen.getByRole("searchbox");
    await userEvent.type(field, "x");
    heard.mockClear();
    await userEvent.keyboard("{Escape}");
    expect(field).toHaveValue("");
    expect(field).toHaveFocus();
    expect(heard).not.toHaveBeenCalled();
    document.removeEventListener("keydown", heard);
  });
});

describe("the table", () => {
  const column = (index: number) =>
    screen
      .getAllByRole("row")
      .slice(1)
      .map((row) => row.children[index]?.textContent);

  async function showTable(frames: Frame[]) {
    renderPanel(frames);
    await userEvent.click(screen.getByRole("tab", { name: "Table" }));
  }

  it("has the rows of all turns in the order of time", async () => {
    await showTable(twoTurns());
    expect(column(0)).toEqual([
      "Queue",
      "Attempt 1",
      "Model",
      "Tool",
      "Queue",
      "Attempt 1",
      "Model",
    ]);
    expect(column(5)[2]).toBe("11 in, 7 out");
    expect(column(7)).toEqual(["1", "1", "1", "1", "2", "2", "2"]);
    expect(screen.getByRole("columnheader", { name: "Start" })).toHaveAttribute(
      "aria-sort",
      "ascending",
    );
  });

  it("is sorted by a column, and the other way round, with what has no value last", async () => {
    await showTable(twoTurns());
    const sort = () => userEvent.click(screen.getByRole("button", { name: "Duration" }));
    const finished = () => column(4).slice(0, 5);
    await sort();
    expect(finished()).toEqual(["10 ms", "10 ms", "10 ms", "300 ms", "390 ms"]);
    await sort();
    expect(finished()).toEqual(["390 ms", "300 ms", "10 ms", "10 ms", "10 ms"]);
    expect(screen.getByRole("columnheader", { name: "Duration" })).toHaveAttribute(
      "aria-sort",
      "descending",
    );
  });

  it.each(["Kind", "Name", "Status", "Tokens", "Attempt", "Turn", "Start"])(
    "keeps every row when it is sorted by %s",
    async (name) => {
      await showTable(twoTurns());
      await userEvent.click(screen.getByRole("button", { name }));
      expect(column(0)).toHaveLength(7);
    },
  );

  it("scrolls by keyboard", async () => {
    await showTable(twoTurns());
    expect(screen.getByRole("group", { name: "Table of telemetry" })).toHaveAttribute(
      "tabindex",
      "0",
    );
  });

  it("leads by a row's name to that row in the waterfall, open and with the focus", async () => {
    await showTable(twoTurns());
    const names = screen.getAllByRole("button", { name: "gpt-5-mini" });
    await userEvent.click(names[0] as HTMLElement);
    expect(screen.getByRole("tab", { name: "Waterfall" })).toHaveAttribute("aria-selected", "true");
    const row = await screen.findByRole("button", { name: /^Model gpt-5-mini/, expanded: true });
    expect(row).toHaveFocus();
    expect(row).toHaveTextContent("done");
    expect(await screen.findByRole("button", { name: "Copy call id" })).toBeVisible();
  });

  it("leads to a row that is far from those on the page", async () => {
    renderPanel(manyCalls(2500));
    await userEvent.click(screen.getByText("Table"));
    fireEvent.click(screen.getByText("Name"));
    fireEvent.click(screen.getByText("tool_1000"));
    expect(document.activeElement).toHaveTextContent(/^Tool tool_1000/);
    expect(rowNames().length).toBeLessThanOrEqual(300);
  });

  it("stays sorted while the waterfall is looked at", async () => {
    await showTable(twoTurns());
    await userEvent.click(screen.getByRole("button", { name: "Duration" }));
    await userEvent.click(screen.getByRole("tab", { name: "Waterfall" }));
    await userEvent.click(screen.getByRole("tab", { name: "Table" }));
    expect(screen.getByRole("columnheader", { name: "Duration" })).toHaveAttribute(
      "aria-sort",
      "ascending",
    );
  });

  it("is not put in order while it is hidden", () => {
    vi.mocked(ordered).mockClear();
    renderPanel(twoTurns());
    expect(ordered).not.toHaveBeenCalled();
  });

  it("has at most 300 rows, and the way to the others", async () => {
    renderPanel(manyCalls(2500));
    await userEvent.click(screen.getByText("Table"));
    expect(rowNames()).toHaveLength(300);
    fireEvent.click(screen.getByText(/^Load earlier/));
    expect(rowNames()).toHaveLength(300);
    expect(screen.getByText(/^Load later/)).toBeInTheDocument();
  });
});

// Roles and names of hundreds of rows take long to compute, so here texts are looked for.
describe("a turn of 5,000 events", () => {
  it("has at most 300 rows on the page, the newest, and the way to the others", () => {
    renderPanel(manyCalls(2500));
    expect(rowNames()).toHaveLength(300);
    expect(screen.getByText("tool_2499")).toBeInTheDocument();
    fireEvent.click(screen.getByText(/^Load earlier/));
    expect(rowNames().length).toBeLessThanOrEqual(300);
    expect(screen.queryByText("tool_2499")).toBeNull();
    fireEvent.click(screen.getByText(/^Load later/));
    expect(screen.getByText("tool_2499")).toBeInTheDocument();
  });

  it("is searched as a whole", () => {
    renderPanel(manyCalls(2500));
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "tool_17" } });
    expect(screen.getByText("111 matches")).toBeInTheDocument();
    expect(screen.getAllByText(/^tool_17/)).toHaveLength(111);
  });
});
