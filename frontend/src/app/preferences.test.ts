import { beforeEach, describe, expect, it } from "vitest";
import {
  DEFAULTS,
  followPreferences,
  parsePreferences,
  preferences,
  setPreference,
} from "@/app/preferences";

const KEY = "fanline-preferences";

beforeEach(() => {
  window.localStorage.clear();
  preferences.setState(DEFAULTS);
});

describe("preferences", () => {
  it("are remembered", () => {
    setPreference("announceReplies", "off");
    setPreference("theme", "dark");
    expect(parsePreferences(window.localStorage.getItem(KEY))).toEqual({
      ...DEFAULTS,
      announceReplies: "off",
      theme: "dark",
    });
    expect(preferences.getState().theme).toBe("dark");
  });

  it("follow another tab", () => {
    const end = followPreferences();
    window.localStorage.setItem(KEY, JSON.stringify({ ...DEFAULTS, showWhenFinished: true }));
    window.dispatchEvent(new StorageEvent("storage", { key: KEY }));
    expect(preferences.getState().showWhenFinished).toBe(true);
    end();
  });

  it("keep what another tab has chosen in the meantime", () => {
    window.localStorage.setItem(KEY, JSON.stringify({ ...DEFAULTS, theme: "light" }));
    setPreference("singleKeyShortcuts", false);
    expect(preferences.getState()).toMatchObject({ theme: "light", singleKeyShortcuts: false });
  });

  it.each([[null], ["nonsense"], ["[]"], ["null"], ['{"theme": "pink", "showWhenFinished": 1}']])(
    "are the defaults when what is stored is %s",
    (stored) => {
      expect(parsePreferences(stored)).toEqual(DEFAULTS);
    },
  );
});
