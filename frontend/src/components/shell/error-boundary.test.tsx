import { render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { ErrorBoundary } from "@/components/shell/error-boundary";

function Broken(): never {
  throw new Error("broken");
}

describe("a part of the page that fails", () => {
  it("says so and offers a reload, while the other part lives on", () => {
    // React tells the console of every error that a boundary catches.
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    render(
      <>
        <ErrorBoundary what="The conversation">
          <Broken />
        </ErrorBoundary>
        <ErrorBoundary what="The telemetry">
          <p>Rows</p>
        </ErrorBoundary>
      </>,
    );
    expect(screen.getByRole("alert")).toHaveTextContent(/^The conversation cannot be shown/);
    expect(screen.getByRole("button", { name: "Reload the page" })).toBeVisible();
    expect(screen.getByText("Rows")).toBeVisible();
  });
});
