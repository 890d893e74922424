import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { Button } from "./button";
import { Dialog, DialogContent, DialogTrigger } from "./dialog";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "./dropdown-menu";
import { Sheet, SheetContent } from "./sheet";

/** A dialog that something else than its own trigger opens. */
function Opened({ from }: { from: "button" | "menu" }) {
  const [open, setOpen] = useState(false);
  return (
    <main>
      <h1>Page</h1>
      {from === "button" && <Button onClick={() => setOpen(true)}>Help</Button>}
      {from === "menu" && (
        <DropdownMenu>
          <DropdownMenuTrigger asChild>
            <Button>More</Button>
          </DropdownMenuTrigger>
          <DropdownMenuContent>
            <DropdownMenuItem onSelect={() => setOpen(true)}>Help</DropdownMenuItem>
          </DropdownMenuContent>
        </DropdownMenu>
      )}
      <Dialog open={open} onOpenChange={setOpen}>
        <DialogContent title="Shortcuts" description="All keys">
          <Button>Inside</Button>
        </DialogContent>
      </Dialog>
    </main>
  );
}

async function violations(): Promise<string[]> {
  const report = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  return report.violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join()}`);
}

describe("a dialog", () => {
  it("is named and described, and Escape gives the focus back to its trigger", async () => {
    const user = userEvent.setup();
    render(
      <main>
        <h1>Page</h1>
        <Dialog>
          <DialogTrigger asChild>
            <Button>Delete</Button>
          </DialogTrigger>
          <DialogContent title="Delete it?" description="It is gone for every tab.">
            <Button>Yes</Button>
          </DialogContent>
        </Dialog>
      </main>,
    );
    await user.click(screen.getByRole("button", { name: "Delete" }));
    const dialog = screen.getByRole("dialog", { name: "Delete it?" });
    expect(dialog).toHaveAccessibleDescription("It is gone for every tab.");
    expect(dialog.contains(document.activeElement)).toBe(true);
    expect(await violations()).toEqual([]);
    await user.keyboard("{Escape}");
    expect(screen.getByRole("button", { name: "Delete" })).toHaveFocus();
  });

  it("opened without a trigger gives the focus back to what had it", async () => {
    const user = userEvent.setup();
    render(<Opened from="button" />);
    await user.click(screen.getByRole("button", { name: "Help" }));
    await user.click(screen.getByRole("button", { name: "Close" }));
    expect(screen.getByRole("button", { name: "Help" })).toHaveFocus();
  });

  it("opened from a menu gives the focus back to the menu's button", async () => {
    const user = userEvent.setup();
    render(<Opened from="menu" />);
    await user.click(screen.getByRole("button", { name: "More" }));
    await user.click(screen.getByRole("menuitem", { name: "Help" }));
    expect(screen.getByRole("dialog", { name: "Shortcuts" })).toBeVisible();
    await user.keyboard("{Escape}");
    expect(screen.getByRole("button", { name: "More" })).toHaveFocus();
  });
});

describe("a menu", () => {
  it("opened leaves nothing for axe to find", async () => {
    const user = userEvent.setup();
    render(<Opened from="menu" />);
    await user.click(screen.getByRole("button", { name: "More" }));
    expect(screen.getByRole("menuitem", { name: "Help" })).toBeVisible();
    expect(await violations()).toEqual([]);
  });
});

describe("a sheet", () => {
  it("is a dialog with a name, and closes by its button", async () => {
    const user = userEvent.setup();
    function Page() {
      const [open, setOpen] = useState(true);
      return (
        <Sheet open={open} onOpenChange={setOpen}>
          <SheetContent side="bottom" title="Telemetry" description="What the agent does">
            <p>Rows</p>
          </SheetContent>
        </Sheet>
      );
    }
    render(<Page />);
    const sheet = screen.getByRole("dialog", { name: "Telemetry" });
    expect(sheet).toHaveAccessibleDescription("What the agent does");
    expect(sheet).toHaveTextContent("Rows");
    await user.click(screen.getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("dialog")).toBeNull();
  });
});
