import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { place } from "@/app/routes";
import { sessionList } from "@/app/session-list";
import SessionList from "@/components/shell/session-list";

const OPEN = { id: "open-session", name: "Open one", createdAt: 2, lastUsedAt: 2 };
const OTHER = { id: "other-session", name: "Other one", createdAt: 1, lastUsedAt: 1 };

function showList() {
  const onOpenChange = vi.fn();
  render(<SessionList isOpen onOpenChange={onOpenChange} currentId={OPEN.id} />);
  return { onOpenChange, user: userEvent.setup() };
}

function shown(): string | null {
  const { current } = place.getState();
  return current.kind === "session" ? current.sessionId : null;
}

async function choose(user: ReturnType<typeof userEvent.setup>, of: string, action: string) {
  await user.click(screen.getByRole("button", { name: `Actions for ${of}` }));
  await user.click(await screen.findByRole("menuitem", { name: action }));
}

beforeEach(() => {
  window.history.replaceState(null, "", `/s/${OPEN.id}`);
  window.localStorage.setItem("fanline-sessions", JSON.stringify([OPEN, OTHER]));
  sessionList.setState({ sessions: [OPEN, OTHER] });
  place.setState({ current: { kind: "session", sessionId: OPEN.id } });
});

afterEach(() => vi.unstubAllGlobals());

describe("the list of sessions", () => {
  it("marks the open one, and switches to another", async () => {
    const { onOpenChange, user } = showList();
    const open = screen.getByRole("link", { name: /Open one/ });
    expect(open).toHaveAttribute("aria-current", "page");
    const other = screen.getByRole("link", { name: /Other one/ });
    expect(other).toHaveAttribute("href", "/s/other-session");
    await user.click(other);
    expect(shown()).toBe(OTHER.id);
    expect(onOpenChange).toHaveBeenCalledWith(false);
  });

  it("starts a new session", async () => {
    const { user } = showList();
    await user.click(screen.getByRole("button", { name: "New session" }));
    expect(shown()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("renames by keyboard, says where names are kept, and gives the focus back", async () => {
    const { user } = showList();
    screen.getByRole("button", { name: "Actions for Other one" }).focus();
    await user.keyboard("{Enter}");
    await user.keyboard("{Enter}");
    const field = await screen.findByRole("textbox", { name: "Name" });
    await waitFor(() => expect(field).toHaveFocus());
    expect(field).toHaveAccessibleDescription(/Names are kept in this browser only/);
    await user.keyboard("Ward round{Enter}");
    expect(screen.getByRole("link", { name: /Ward round/ })).toBeVisible();
    expect(screen.getByRole("button", { name: "Actions for Ward round" })).toHaveFocus();
    expect(window.localStorage.getItem("fanline-sessions")).toContain("Ward round");
  });

  it("gives a new name up on Escape, and stays open", async () => {
    const { onOpenChange, user } = showList();
    await choose(user, "Other one", "Rename");
    await waitFor(() => expect(screen.getByRole("textbox", { name: "Name" })).toHaveFocus());
    await user.keyboard("Nothing{Escape}");
    expect(screen.getByRole("link", { name: /Other one/ })).toBeVisible();
    expect(onOpenChange).not.toHaveBeenCalled();
    await user.keyboard("{Escape}");
    expect(onOpenChange).toHaveBeenCalledWith(false);
  });

  it("copies a link", async () => {
    const { user } = showList();
    await choose(user, "Other one", "Copy link");
    expect(await navigator.clipboard.readText()).toBe(`${window.location.origin}/s/other-session`);
  });
});

describe("deleting", () => {
  it("asks first, and does nothing when the answer is no", async () => {
    const fetched = vi.fn();
    vi.stubGlobal("fetch", fetched);
    const { user } = showList();
    await choose(user, "Other one", "Delete");
    const dialog = await screen.findByRole("dialog", { name: "Delete this session?" });
    expect(dialog).toHaveAccessibleDescription(/gone for everybody.*every tab/);
    await user.click(within(dialog).getByRole("button", { name: "Keep it" }));
    expect(fetched).not.toHaveBeenCalled();
    expect(screen.getByRole("button", { name: "Actions for Other one" })).toHaveFocus();
  });

  it("takes a session off the list and leaves the open one open", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
    sessionStorage.setItem(`fanline-draft:${OTHER.id}`, "typed");
    sessionStorage.setItem(`fanline-outbox:${OTHER.id}`, "[]");
    const { user } = showList();
    await choose(user, "Other one", "Delete");
    await user.click(await screen.findByRole("button", { name: "Delete for everybody" }));
    await waitFor(() => expect(screen.queryByRole("link", { name: /Other one/ })).toBeNull());
    expect(shown()).toBe(OPEN.id);
    expect(Object.keys(sessionStorage).filter((key) => key.endsWith(OTHER.id))).toEqual([]);
    await waitFor(() => expect(screen.getByRole("button", { name: "New session" })).toHaveFocus());
  });

  it("of the open session opens a new one", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
    const { user } = showList();
    await choose(user, "Open one", "Delete");
    await user.click(await screen.findByRole("button", { name: "Delete for everybody" }));
    await waitFor(() => expect(shown()).toMatch(/^[0-9a-f-]{36}$/));
    expect(sessionList.getState().sessions.map(({ id }) => id)).toEqual([OTHER.id]);
  });

  it.each([
    [401, "you are signed out. Sign in, then try again."],
    [403, "you are not allowed to delete it."],
    [429, "the service has had too many requests. Try again in a minute."],
    [503, "the service has lost its store. Try again in a moment."],
    [500, "the service answered 500."],
  ])("that fails with %i removes nothing and says why in the dialog", async (status, why) => {
    vi.stubGlobal("fetch", async () => new Response(null, { status }));
    const { user } = showList();
    await choose(user, "Other one", "Delete");
    await user.click(await screen.findByRole("button", { name: "Delete for everybody" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(
      `The session was not deleted: ${why}`,
    );
    expect(sessionList.getState().sessions).toEqual([OPEN, OTHER]);
  });
});
