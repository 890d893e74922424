import { render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.doUnmock("./markdown-reply");
  vi.resetModules();
});

it("a reply stands as it was written until the code that sets it is there", async () => {
  const { Markdown } = await import("./markdown");
  render(<Markdown text="a **b**" />);
  expect(screen.getByText("a **b**")).toBeVisible();
  expect((await screen.findByText("b")).tagName).toBe("STRONG");
});

it("a reply stays readable when that code cannot be had", async () => {
  vi.doMock("./markdown-reply", () => {
    throw new Error("gone");
  });
  const { Markdown } = await import("./markdown");
  render(<Markdown text="a **b**" />);
  await vi.dynamicImportSettled();
  expect(await screen.findByText("a **b**")).toBeVisible();
});
