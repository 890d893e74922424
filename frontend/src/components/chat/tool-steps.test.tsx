import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { ToolCall } from "@/session/state";
import { TURN } from "@/test/builders";
import { turnOf } from "./chat-harness";
import { ToolSteps } from "./tool-steps";

const { items } = turnOf((w) => [
  w.message(),
  w.started(),
  ...Array.from({ length: 250 }, (_, index) =>
    w.toolCall({ tool_call_id: `t${index}`, tool_name: `tool_${index}` }),
  ),
]);
const calls = items.filter((item): item is ToolCall => item.kind === "tool_call");

function element(isOver: boolean, markedItem: string | null = null) {
  return <ToolSteps calls={calls} turnId={TURN} isOver={isOver} markedItem={markedItem} />;
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const steps = () => screen.getAllByRole("listitem").map((item) => item.textContent?.trim());

test("of a great many steps a hundred are on the page, and the others a button away", () => {
  render(element(true));
  press("Used 250 tools");
  expect([steps().length, steps()[0]]).toEqual([100, "tool_0"]);
  expect(screen.queryByRole("button", { name: "Show earlier tools" })).toBeNull();
  press("Show later tools");
  press("Show later tools");
  expect([steps().length, steps().at(-1)]).toEqual([100, "tool_249"]);
  expect(screen.queryByRole("button", { name: "Show later tools" })).toBeNull();
  press("Show earlier tools");
  expect([steps().length, steps()[0]]).toEqual([100, "tool_50"]);
});

test("of a turn that runs they are the newest", () => {
  render(element(false));
  press("Using 250 tools");
  expect([steps().length, steps().at(-1)]).toEqual([100, "Running: tool_249…"]);
});

test("whoever is led to one finds it among its neighbours, and may go on from there", () => {
  const { rerender } = render(element(true));
  rerender(element(true, "t180"));
  expect([steps().length, steps()[50]]).toEqual([100, "tool_180"]);
  press("Show earlier tools");
  expect([steps().length, steps()[0]]).toEqual([100, "tool_30"]);
});
