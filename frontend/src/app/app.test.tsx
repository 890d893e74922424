import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "@/app/app";
import { DEFAULTS, preferences } from "@/app/preferences";
import { followAddress, place } from "@/app/routes";
import { sessionList } from "@/app/session-list";
import { announcements } from "@/components/shell/announcement-queue";

/** A socket that never opens: the page must be whole without one. */
class SilentSocket extends EventTarget {
  static urls: string[] = [];
  readyState = 0;
  constructor(url: string) {
    super();
    SilentSocket.urls.push(String(url));
  }
  send(): void {}
  close(): void {}
}

function openAppAt(path: string) {
  window.history.replaceState(null, "", path);
  followAddress()();
  render(<App />);
  return userEvent.setup();
}

/** Takes the focus off the composer, where keys are text. */
function leaveField(): void {
  act(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
}

beforeEach(() => {
  window.localStorage.clear();
  SilentSocket.urls = [];
  vi.stubGlobal("WebSocket", SilentSocket);
  sessionList.setState({ sessions: [] });
  preferences.setState(DEFAULTS);
  announcements.spoken.setState(announcements.spoken.getInitialState());
  place.setState({ current: { kind: "none" } });
});

afterEach(() => vi.unstubAllGlobals());

describe("the page", () => {
  it("has its landmarks, one heading of the first order, and a way to the composer", () => {
    openAppAt("/s/abcdefgh-1");
    expect(screen.getByRole("banner")).toHaveTextContent("abcdefgh");
    expect(screen.getByRole("main")).toBeInTheDocument();
    expect(screen.getAllByRole("heading", { level: 1 })).toHaveLength(1);
    const skip = screen.getByRole("link", { name: "Skip to the message field" });
    const target = document.querySelector(skip.getAttribute("href") ?? "");
    expect(target).toBe(screen.getByRole("textbox", { name: "Message" }));
    expect(sessionList.getState().sessions.map(({ id }) => id)).toEqual(["abcdefgh-1"]);
  });

  it("of what is no session opens no socket, and leads on", async () => {
    const user = openAppAt("/s/not%20one");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent(/not the address/);
    expect(SilentSocket.urls).toEqual([]);
    await user.click(screen.getByRole("button", { name: "New session" }));
    expect(screen.getByRole("banner")).toBeInTheDocument();
    expect(SilentSocket.urls).toHaveLength(1);
  });

  it("shows the help for ?, gives the focus back, and takes a choice at once", async () => {
    const user = openAppAt("/s/abc");
    const help = screen.getByRole("button", { name: "Help and settings" });
    help.focus();
    await user.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Help and settings" })).toBeVisible();
    await user.click(screen.getByRole("radio", { name: "Only that it has finished" }));
    await user.click(screen.getByRole("checkbox", { name: "Shortcuts of a single key" }));
    expect(preferences.getState()).toMatchObject({
      announceReplies: "finish",
      singleKeyShortcuts: false,
    });
    await user.keyboard("{Escape}");
    await waitFor(() => expect(help).toHaveFocus());
    await user.keyboard("?");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("changes its theme by a button that says which it is, and among the settings", async () => {
    const said = vi.spyOn(announcements, "announce").mockReturnValue();
    const user = openAppAt("/s/abc");
    const chosen = () => preferences.getState().theme;
    await user.click(screen.getByRole("button", { name: "Theme: As the system" }));
    await user.click(screen.getByRole("button", { name: "Theme: Light" }));
    expect(chosen()).toBe("dark");
    expect(said).toHaveBeenLastCalledWith({ region: "note", text: "Theme: Dark" });
    await user.click(screen.getByRole("button", { name: "Theme: Dark" }));
    expect(chosen()).toBe("system");
    await user.click(screen.getByRole("button", { name: "Help and settings" }));
    const themes = await screen.findByRole("group", { name: "Theme" });
    expect(within(themes).getByRole("radio", { name: "As the system" })).toBeChecked();
    await user.click(within(themes).getByRole("radio", { name: "Dark" }));
    expect(chosen()).toBe("dark");
  });

  it("shows the sessions for s, the telemetry for t, and goes to the composer for /", async () => {
    const user = openAppAt("/s/abc");
    leaveField();
    await user.keyboard("s");
    expect(await screen.findByRole("dialog", { name: "Sessions" })).toBeVisible();
    await user.keyboard("{Escape}");
    leaveField();
    await user.keyboard("t");
    expect(await screen.findByRole("dialog", { name: "Telemetry" })).toBeVisible();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    leaveField();
    await user.keyboard("/");
    expect(screen.getByRole("textbox", { name: "Message" })).toHaveFocus();
  });

  it("starts another session for n, with nothing left of the one before", async () => {
    const user = openAppAt("/s/abc");
    await user.type(screen.getByRole("textbox", { name: "Message" }), "a draft");
    leaveField();
    await user.keyboard("n");
    expect(window.location.pathname).toMatch(/^\/s\/[0-9a-f-]{36}$/);
    expect(screen.getByRole("textbox", { name: "Message" })).toHaveValue("");
    expect(sessionList.getState().sessions).toHaveLength(2);
  });
});

describe("the live regions", () => {
  const region = (name: string) => document.querySelector(`[data-announcer="${name}"]`);

  it("are there, silent and polite, before there is anything to say", () => {
    openAppAt("/s/abc");
    expect(region("note")).toHaveAttribute("role", "status");
    expect(region("reply")).toHaveAttribute("aria-live", "polite");
    expect(region("alert")).toHaveAttribute("role", "alert");
    expect([region("note"), region("reply"), region("alert")].map((it) => it?.textContent)).toEqual(
      ["", "", ""],
    );
  });

  it("stay within reach of a screen reader while a dialog is open", async () => {
    const user = openAppAt("/s/abc");
    leaveField();
    await user.keyboard("s");
    await screen.findByRole("dialog");
    for (const name of ["note", "reply", "alert"]) {
      expect(region(name)?.closest("[aria-hidden='true']")).toBeNull();
    }
  });

  it("say each thing in a paragraph of its own", () => {
    vi.useFakeTimers();
    openAppAt("/s/abc");
    act(() => announcements.announce({ region: "note", text: "Again" }));
    const first = region("note")?.firstElementChild;
    act(() => {
      announcements.announce({ region: "note", text: "Again" });
      vi.advanceTimersByTime(400);
    });
    expect(region("note")).toHaveTextContent("Again");
    expect(region("note")?.firstElementChild).not.toBe(first);
    act(() => vi.advanceTimersByTime(5000));
    expect(region("note")).toBeEmptyDOMElement();
  });
});
