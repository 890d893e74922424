import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ConnectionStatus } from "@/components/shell/ConnectionStatus";
import type { ConnectionReason, ConnectionState } from "@/session/state";

function show(state: ConnectionState, reason: ConnectionReason | null = null, reconnects = 0) {
  const onRetry = vi.fn();
  const { container } = render(
    <ConnectionStatus
      sessionId="12345678-90ab"
      connection={{ state, reason, reconnects }}
      onRetry={onRetry}
    />,
  );
  return { container, onRetry };
}

describe("the connection's status", () => {
  it("is a word and an icon, and nothing to do while it is well", () => {
    const { container } = show("connected", null, 3);
    expect(screen.getByText("Connected")).toBeVisible();
    expect(container.querySelector(".lucide-wifi")).not.toBeNull();
    expect(screen.queryByRole("button")).toBeNull();
    const root = container.querySelector("[data-state='connected']");
    expect(root).toHaveAttribute("data-reconnects", "3");
  });

  it("of a page that has just been opened is no trouble", () => {
    show("reconnecting");
    expect(screen.getByText("Connecting")).toBeVisible();
    expect(screen.queryByRole("button")).toBeNull();
  });

  it.each<[ConnectionState, ConnectionReason, string, string]>([
    ["reconnecting", "offline", "Reconnecting", "You are offline"],
    ["reconnecting", "unreachable", "Reconnecting", "The service cannot be reached"],
    ["reconnecting", "unavailable", "Reconnecting", "The service has lost its store"],
    ["reconnecting", "limited", "Reconnecting", "Too many requests: the service asks to wait"],
    ["disconnected", "refused", "Disconnected", "The service refuses this session"],
  ])("says that it is %s because it is %s", (state, reason, word, sentence) => {
    const { container } = show(state, reason, 1);
    expect(screen.getByText(word)).toBeVisible();
    expect(screen.getByText(sentence)).toBeVisible();
    expect(container.querySelector(".lucide-wifi-off")).not.toBeNull();
  });

  it.each(["unauthorized", "forbidden"] as const)(
    "leaves it to the conversation to say what %s is about, and what can be done",
    (reason) => {
      const { container } = show("disconnected", reason, 1);
      expect(container).toHaveTextContent(/^Disconnected$/);
      expect(screen.queryByRole("button")).toBeNull();
    },
  );

  it("offers to try again at once", async () => {
    const { onRetry } = show("reconnecting", null, 1);
    await userEvent.click(screen.getByRole("button", { name: "Retry now" }));
    expect(onRetry).toHaveBeenCalledOnce();
  });

  it("leaves the focus to the message field when there is nothing more to try", async () => {
    const page = (state: ConnectionState) => (
      <>
        <ConnectionStatus
          sessionId="12345678-90ab"
          connection={{ state, reason: null, reconnects: 1 }}
          onRetry={() => undefined}
        />
        <textarea id="composer-input" />
      </>
    );
    const { rerender } = render(page("disconnected"));
    await userEvent.click(screen.getByRole("button", { name: "Retry now" }));
    rerender(page("connected"));
    expect(screen.getByRole("textbox")).toHaveFocus();
  });

  it("tells the session to whoever comes by keyboard", async () => {
    show("connected");
    await userEvent.tab();
    expect(await screen.findByRole("tooltip")).toHaveTextContent("Session 12345678-90ab");
  });

  it("speaks to nobody by itself", () => {
    const { container } = show("disconnected", "refused", 1);
    expect(container.querySelector("[aria-live], [role=status], [role=alert]")).toBeNull();
  });
});
