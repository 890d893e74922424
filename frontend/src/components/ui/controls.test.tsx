import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Button } from "./button";
import { CopyButton } from "./copy-button";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "./tabs";
import { Toaster } from "./toast";
import { dismissToast, readToasts, showToast } from "./toast-store";
import { Tooltip } from "./tooltip";

async function violations(): Promise<string[]> {
  const report = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  return report.violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join()}`);
}

describe("a button", () => {
  it("does not submit the form around it", async () => {
    const submitted = vi.fn();
    render(
      <form onSubmit={submitted}>
        <Button>Copy</Button>
      </form>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Copy" }));
    expect(submitted).not.toHaveBeenCalled();
  });

  it("lends its looks to a link", () => {
    render(
      <Button asChild>
        <a href="/s/a">Open</a>
      </Button>,
    );
    expect(screen.getByRole("link", { name: "Open" })).toHaveAttribute("data-slot", "button");
  });
});

describe("a tooltip", () => {
  it("shows on focus, describes its button, and leaves nothing for axe to find", async () => {
    render(
      <main>
        <h1>Page</h1>
        <Tooltip content="Session abc">
          <Button>Connected</Button>
        </Tooltip>
      </main>,
    );
    await userEvent.tab();
    const button = screen.getByRole("button", { name: "Connected" });
    expect(button).toHaveFocus();
    expect(await screen.findByRole("tooltip")).toHaveTextContent("Session abc");
    expect(button).toHaveAccessibleDescription("Session abc");
    expect(await violations()).toEqual([]);
  });
});

describe("tabs", () => {
  it("change by arrow keys", async () => {
    render(
      <Tabs defaultValue="a">
        <TabsList aria-label="View">
          <TabsTrigger value="a">Waterfall</TabsTrigger>
          <TabsTrigger value="b">Table</TabsTrigger>
        </TabsList>
        <TabsContent value="a">bars</TabsContent>
        <TabsContent value="b">cells</TabsContent>
      </Tabs>,
    );
    await userEvent.tab();
    await userEvent.keyboard("{ArrowRight}");
    expect(screen.getByRole("tabpanel", { name: "Table" })).toHaveTextContent("cells");
  });
});

describe("a copy button", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says by its name that it copied, for two seconds", async () => {
    vi.useFakeTimers();
    const writeText = vi.fn(async (_: string) => {});
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    render(<CopyButton text={() => "the code"} label="Copy code" />);
    await act(async () => fireEvent.click(screen.getByRole("button", { name: "Copy code" })));
    expect(writeText).toHaveBeenCalledExactlyOnceWith("the code");
    expect(screen.getByRole("button", { name: "Copied" })).toBeVisible();
    act(() => vi.advanceTimersByTime(2000));
    expect(screen.getByRole("button", { name: "Copy code" })).toBeVisible();
  });

  it("says so when nothing could copy", async () => {
    vi.stubGlobal("navigator", {});
    Object.assign(document, { execCommand: () => false });
    render(<CopyButton text="the code" label="Copy code" />);
    await act(async () => fireEvent.click(screen.getByRole("button", { name: "Copy code" })));
    expect(screen.getByRole("button", { name: "Copying failed" })).toBeVisible();
  });
});

describe("toasts", () => {
  afterEach(() => {
    for (const toast of readToasts()) dismissToast(toast.id);
  });

  it("appear, are dismissed by their button, and are no live region", async () => {
    render(<Toaster />);
    act(() => showToast("Session deleted", "success"));
    expect(screen.getByText("Session deleted")).toBeVisible();
    expect(document.querySelector("[aria-live],[role=status],[role=alert]")).toBeNull();
    expect(await violations()).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByText("Session deleted")).toBeNull();
  });

  it("leave the focus to the message field when their button takes them away", async () => {
    render(
      <>
        <textarea id="composer-input" aria-label="Message" />
        <Toaster />
      </>,
    );
    act(() => showToast("Copied"));
    await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(screen.getByRole("textbox", { name: "Message" })).toHaveFocus();
  });

  it("leave by themselves, but not from under the pointer", () => {
    vi.useFakeTimers();
    render(<Toaster />);
    act(() => showToast("Copied"));
    fireEvent.pointerEnter(screen.getByRole("listitem"));
    act(() => vi.advanceTimersByTime(60_000));
    fireEvent.pointerLeave(screen.getByRole("listitem"));
    expect(screen.getByText("Copied")).toBeVisible();
    act(() => vi.advanceTimersByTime(6_000));
    expect(screen.queryByText("Copied")).toBeNull();
  });

  it("are three at most, the newest", () => {
    render(<Toaster />);
    act(() => {
      for (const text of ["1", "2", "3", "4"]) showToast(text);
    });
    expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
      "2",
      "3",
      "4",
    ]);
  });
});
