import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useRef } from "react";
import { expect, test, vi } from "vitest";
import { JumpToLatest } from "./jump-to-latest";

const onJump = vi.fn();

function Page() {
  const log = useRef<HTMLDivElement>(null);
  return (
    <>
      <input aria-label="elsewhere" />
      <div ref={log} data-testid="log" tabIndex={-1}>
        <input aria-label="within" />
      </div>
      <JumpToLatest log={log} onJump={onJump} />
    </>
  );
}

const jump = () => userEvent.click(screen.getByRole("button", { name: "Jump to latest" }));

test("a jump leaves the focus where it is, outside the log", async () => {
  render(<Page />);
  screen.getByLabelText("elsewhere").focus();
  await jump();
  expect(onJump).toHaveBeenCalledOnce();
  expect(screen.getByLabelText("elsewhere")).toHaveFocus();
});

test("from within the log a jump takes the focus to the log, whose place has moved", async () => {
  render(<Page />);
  screen.getByLabelText("within").focus();
  await jump();
  expect(screen.getByTestId("log")).toHaveFocus();
});

test("a jump by keyboard takes the focus to the log, for the button goes away", async () => {
  render(<Page />);
  screen.getByRole("button", { name: "Jump to latest" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(screen.getByTestId("log")).toHaveFocus();
});
