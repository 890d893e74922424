import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { AccessReason } from "@/session/state";
import { writeMeta } from "@/test/write-meta";
import { AccessNotice } from "./access-notice";

afterEach(() => writeMeta("auth-sign-in-url", null));

function show(reason: AccessReason, { isTrying = false, isAlone = true } = {}) {
  const actions = { onRetry: vi.fn(), onShowSessions: vi.fn() };
  const notice = <AccessNotice {...{ reason, isTrying, isAlone }} {...actions} />;
  return { ...actions, ...render(notice) };
}

const names = () =>
  [...screen.queryAllByRole("button"), ...screen.queryAllByRole("link")].map(
    (element) => element.textContent,
  );

test("who is signed out is led to where they sign in, and back", () => {
  writeMeta("auth-sign-in-url", "https://id.example/start?rd={return_to}");
  show("unauthorized");
  expect(screen.getByRole("region", { name: "You are signed out" })).toBeVisible();
  expect(screen.getByText(/^Sign in to go on\. .*is kept/)).toBeVisible();
  expect(screen.getByRole("link", { name: "Sign in" })).toHaveAttribute(
    "href",
    `https://id.example/start?rd=${encodeURIComponent(window.location.href)}`,
  );
});

test("without an address to sign in at there is no link, and words that need none", async () => {
  const { onRetry } = show("unauthorized", { isAlone: false });
  expect(names()).toEqual(["Try again"]);
  expect(screen.getByText(/^Sign in in another tab/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(onRetry).toHaveBeenCalledOnce();
});

test("who may not open a session is led to others first", async () => {
  writeMeta("auth-sign-in-url", "/sign-in");
  const { onShowSessions } = show("forbidden");
  expect(screen.getByRole("region", { name: "You may not open this session" })).toBeVisible();
  expect(names()).toEqual(["Other sessions", "Try again", "Sign in"]);
  await userEvent.click(screen.getByRole("button", { name: "Other sessions" }));
  expect(onShowSessions).toHaveBeenCalledOnce();
});

test("another try keeps the button and its focus until it is answered", async () => {
  const { rerender } = show("unauthorized");
  const button = screen.getByRole("button", { name: "Try again" });
  await userEvent.click(button);
  const actions = { onRetry: vi.fn(), onShowSessions: vi.fn() };
  rerender(<AccessNotice reason="unauthorized" isTrying isAlone {...actions} />);
  expect(button).toHaveTextContent("Trying …");
  expect(button).toHaveFocus();
  await userEvent.click(button);
  expect(actions.onRetry).not.toHaveBeenCalled();
});

test("when it goes away the focus is where one writes", async () => {
  const notice = (
    <AccessNotice
      reason="unauthorized"
      isTrying={false}
      isAlone
      onRetry={vi.fn()}
      onShowSessions={vi.fn()}
    />
  );
  const page = (isOpen: boolean) => (
    <>
      {!isOpen && notice}
      <textarea id="composer-input" />
    </>
  );
  const { rerender } = render(page(false));
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  rerender(page(true));
  expect(screen.getByRole("textbox")).toHaveFocus();
});

test("it speaks to nobody by itself", () => {
  const { container } = show("forbidden");
  expect(container.querySelector("[aria-live], [role=status], [role=alert]")).toBeNull();
});
