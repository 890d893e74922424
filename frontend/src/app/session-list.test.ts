import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deleteSession } from "@/app/delete-session";
import {
  followSessionList,
  forgetSession,
  MAX_SESSIONS,
  parseSessions,
  renameSession,
  sessionList,
  titleOf,
  touchSession,
} from "@/app/session-list";

const KEY = "fanline-sessions";

function ids(): readonly string[] {
  return sessionList.getState().sessions.map((session) => session.id);
}

beforeEach(() => {
  window.localStorage.clear();
  sessionList.setState({ sessions: [] });
});

describe("the list of sessions", () => {
  it("has the last used first, each once", () => {
    touchSession("a", 1);
    touchSession("b", 2);
    touchSession("a", 3);
    expect(sessionList.getState().sessions).toEqual([
      { id: "a", name: null, createdAt: 1, lastUsedAt: 3 },
      { id: "b", name: null, createdAt: 2, lastUsedAt: 2 },
    ]);
  });

  it("keeps a bounded number, and lets the oldest go", () => {
    for (let n = 0; n <= MAX_SESSIONS; n += 1) touchSession(`s-${n}`, n);
    expect(ids()).toHaveLength(MAX_SESSIONS);
    expect(ids()[0]).toBe(`s-${MAX_SESSIONS}`);
    expect(ids()).not.toContain("s-0");
  });

  it("keeps names, and takes one away that is blank", () => {
    touchSession("a", 1);
    renameSession("a", "  Ward round ");
    expect(parseSessions(window.localStorage.getItem(KEY))[0]?.name).toBe("Ward round");
    renameSession("a", "  ");
    expect(sessionList.getState().sessions[0]?.name).toBeNull();
  });

  it("calls a session without a name by its time and the beginning of its id", () => {
    touchSession("12345678-90ab", Date.UTC(2026, 0, 31, 12));
    const [session] = sessionList.getState().sessions;
    expect(session && titleOf(session)).toMatch(/2026.* · 12345678$/);
  });

  it("follows what another tab does", () => {
    const end = followSessionList();
    const stored = JSON.stringify([{ id: "other", name: "Theirs", createdAt: 1, lastUsedAt: 1 }]);
    window.localStorage.setItem(KEY, stored);
    window.dispatchEvent(new StorageEvent("storage", { key: KEY, newValue: stored }));
    expect(sessionList.getState().sessions[0]?.name).toBe("Theirs");
    window.localStorage.clear();
    window.dispatchEvent(new StorageEvent("storage", { key: null }));
    expect(ids()).toEqual([]);
    end();
  });

  it("keeps what another tab has added in the meantime", () => {
    touchSession("mine", 1);
    const stored = parseSessions(window.localStorage.getItem(KEY));
    const theirs = { id: "theirs", name: null, createdAt: 2, lastUsedAt: 2 };
    window.localStorage.setItem(KEY, JSON.stringify([theirs, ...stored]));
    touchSession("new", 3);
    expect(ids()).toEqual(["new", "theirs", "mine"]);
  });

  it("lives in memory where the browser stores nothing", () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    touchSession("a", 1);
    touchSession("b", 2);
    renameSession("a", "Kept");
    expect(ids()).toEqual(["b", "a"]);
    // What follows can be stored again, and is what counts.
    vi.restoreAllMocks();
    forgetSession("b");
    expect(parseSessions(window.localStorage.getItem(KEY)).map(({ id }) => id)).toEqual(["a"]);
  });

  it.each([
    [null],
    ["{"],
    ["{}"],
    ["7"],
    ['[null, 1, "a", []]'],
    ['[{"id": "a b", "name": null, "createdAt": 1, "lastUsedAt": 1}]'],
    ['[{"id": "a", "name": null, "createdAt": "1", "lastUsedAt": 1}]'],
    ['[{"id": "a", "name": null, "createdAt": 1e99, "lastUsedAt": 1}]'],
  ])("is empty when what is stored is %s", (stored) => {
    expect(parseSessions(stored)).toEqual([]);
  });

  it("takes a name that is none for none, and of two entries of a session the first", () => {
    const entry = { id: "a", createdAt: 1, lastUsedAt: 1 };
    const stored = JSON.stringify([
      { ...entry, name: { evil: true } },
      { ...entry, name: "twice" },
    ]);
    expect(parseSessions(stored)).toEqual([{ ...entry, name: null }]);
  });
});

describe("deleting a session", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("asks the gateway, and takes it off the list when it is gone", async () => {
    touchSession("a", 1);
    const fetched = vi.fn(async () => new Response(null, { status: 204 }));
    vi.stubGlobal("fetch", fetched);
    expect(await deleteSession("a")).toBeNull();
    expect(fetched).toHaveBeenCalledExactlyOnceWith("/sessions/a", {
      method: "DELETE",
      redirect: "manual",
    });
    expect(ids()).toEqual([]);
  });

  it.each([
    [401, /signed out/],
    [403, /not allowed/],
    [429, /too many requests/],
    [500, /answered 500/],
    [503, /lost its store/],
    [200, /answered 200/],
  ])("keeps it when the answer is %i, and says why", async (status, why) => {
    touchSession("a", 1);
    vi.stubGlobal("fetch", async () => new Response(null, { status }));
    expect(await deleteSession("a")).toMatch(why);
    expect(ids()).toEqual(["a"]);
  });

  it("keeps it when a proxy leads to where people sign in", async () => {
    touchSession("a", 1);
    vi.stubGlobal("fetch", async () => ({ type: "opaqueredirect", status: 0 }));
    expect(await deleteSession("a")).toMatch(/signed out/);
    expect(ids()).toEqual(["a"]);
  });

  it("keeps it when nobody answers, and says so", async () => {
    touchSession("a", 1);
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    expect(await deleteSession("a")).toMatch(/cannot be reached/);
    expect(ids()).toEqual(["a"]);
  });
});
