import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  followAddress,
  goToNewSession,
  goToSession,
  isSessionId,
  place,
  placeOf,
} from "@/app/routes";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function openPageAt(path: string): () => void {
  window.history.replaceState(null, "", path);
  return followAddress();
}

function shownSession(): string | null {
  const { current } = place.getState();
  return current.kind === "session" ? current.sessionId : null;
}

beforeEach(() => {
  window.localStorage.clear();
  place.setState({ current: { kind: "none" } });
});

describe("the address", () => {
  it("names the session that is shown, and this browser remembers it", () => {
    window.localStorage.setItem("fanline-session-id", "of-before");
    openPageAt("/s/abc_1-2")();
    expect(shownSession()).toBe("abc_1-2");
    expect(window.localStorage.getItem("fanline-session-id")).toBe("abc_1-2");
  });

  it("without a session is replaced by that of the last one", () => {
    window.localStorage.setItem("fanline-session-id", "of-before");
    const steps = window.history.length;
    openPageAt("/")();
    expect(window.location.pathname).toBe("/s/of-before");
    expect(window.history.length).toBe(steps);
  });

  it("of a first visit gets a new session's", () => {
    openPageAt("/")();
    expect(shownSession()).toMatch(UUID_V4);
    expect(window.location.pathname).toBe(`/s/${shownSession()}`);
  });

  it.each([["a b"], ["x".repeat(129)], [""], ["a/b"], ["naïve"]])(
    "is not trusted when what is stored is %j",
    (stored) => {
      window.localStorage.setItem("fanline-session-id", stored);
      openPageAt("/")();
      expect(shownSession()).toMatch(UUID_V4);
    },
  );

  it.each([["/s/a%20b"], ["/s/a/b"], [`/s/${"x".repeat(129)}`], ["/s/na%C3%AFve"]])(
    "%s opens no session and changes nothing that is remembered",
    (path) => {
      window.localStorage.setItem("fanline-session-id", "of-before");
      openPageAt(path)();
      expect(place.getState().current).toEqual({ kind: "none" });
      expect(window.location.pathname).toBe(path);
      expect(window.localStorage.getItem("fanline-session-id")).toBe("of-before");
    },
  );

  it("may end with a slash, which is taken off", () => {
    openPageAt("/s/abc/")();
    expect(window.location.pathname).toBe("/s/abc");
  });

  it("goes forward to another session, and back", async () => {
    const end = openPageAt("/s/first");
    goToSession("second");
    expect([shownSession(), window.location.pathname]).toEqual(["second", "/s/second"]);
    window.history.back();
    await vi.waitFor(() => expect(shownSession()).toBe("first"));
    window.history.forward();
    await vi.waitFor(() => expect(shownSession()).toBe("second"));
    end();
  });

  it("gains no step by going where the page already is", () => {
    openPageAt("/s/first")();
    const steps = window.history.length;
    goToSession("first");
    expect(window.history.length).toBe(steps);
  });

  it("of a new session is one that nobody has", () => {
    openPageAt("/s/first")();
    goToNewSession();
    expect(shownSession()).toMatch(UUID_V4);
  });

  it("works where the browser stores nothing", () => {
    const refuse = () => {
      throw new DOMException("denied", "SecurityError");
    };
    vi.spyOn(Storage.prototype, "getItem").mockImplementation(refuse);
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(refuse);
    openPageAt("/s/abc")();
    expect(shownSession()).toBe("abc");
  });
});

describe("a session id", () => {
  it("has letters, digits, - and _, and 1 to 128 of them", () => {
    expect(["a", "A-9_z", "x".repeat(128)].every(isSessionId)).toBe(true);
    expect(["", "x".repeat(129), "a b", "a/b", "a\n", "ä", "{a}"].some(isSessionId)).toBe(false);
  });

  it("of a new session is a UUID v4 also where the page came by plain http", () => {
    vi.stubGlobal("crypto", {
      getRandomValues: (bytes: Uint8Array) => bytes.fill(0xff),
    });
    goToNewSession();
    expect(shownSession()).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
    vi.unstubAllGlobals();
  });

  it("is read from paths of sessions only", () => {
    expect(placeOf("/")).toBeNull();
    expect(placeOf("/s")).toBeNull();
    expect(placeOf("/s/")).toBeNull();
    expect(placeOf("/sessions/abc")).toBeNull();
    expect(placeOf("/s/abc")).toEqual({ kind: "session", sessionId: "abc" });
  });
});
