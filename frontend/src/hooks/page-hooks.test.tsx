import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useLink } from "@/app/link";
import { DEFAULTS, preferences } from "@/app/preferences";
import { isAnyRunning } from "@/hooks/live-turns";
import { titleOf, useDocumentTitle } from "@/hooks/use-document-title";
import { useHappenings, type Watched } from "@/hooks/use-happenings";
import { usePanelPlace } from "@/hooks/use-panel-place";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { useTheme } from "@/hooks/use-theme";
import { messagesOf } from "@/session/messages";
import { FrameWriter, stateAfter } from "@/test/builders";

/** Answers every media query by `matches`, which may change. */
class FakeMedia extends EventTarget {
  matches = false;
  set(matches: boolean): void {
    this.matches = matches;
    this.dispatchEvent(new Event("change"));
  }
}

let media: FakeMedia;

beforeEach(() => {
  media = new FakeMedia();
  vi.stubGlobal("matchMedia", () => media);
  window.localStorage.clear();
  preferences.setState(DEFAULTS);
});

afterEach(() => {
  vi.unstubAllGlobals();
  useLink.setState({ panelTurn: null, chatPlace: null, hovered: null });
});

describe("the theme", () => {
  const isDark = () => document.documentElement.classList.contains("dark");

  it("is the system's, through its changes", () => {
    renderHook(useTheme);
    expect(isDark()).toBe(false);
    act(() => media.set(true));
    expect(isDark()).toBe(true);
    expect(document.documentElement.style.colorScheme).toBe("dark");
  });

  it("is what the user chose, whatever the system says", () => {
    media.matches = true;
    renderHook(useTheme);
    act(() => preferences.setState({ theme: "light" }));
    expect(isDark()).toBe(false);
    act(() => media.set(false));
    act(() => preferences.setState({ theme: "dark" }));
    expect(isDark()).toBe(true);
  });
});

describe("the document's title", () => {
  const writer = new FrameWriter();
  const running = [writer.message(), writer.started()];
  const finished = [...running, writer.text("Done."), writer.finished()];
  const sessionAfter = (frames: typeof running) => {
    const { turns } = stateAfter(frames);
    return { turns, messages: messagesOf(turns, []), isLoaded: true, head: null };
  };

  const useTitle = (session: Watched) =>
    useHappenings(session, useDocumentTitle(isAnyRunning(session.turns)));

  it("says that a turn runs, before all else, and how many replies wait", () => {
    expect(titleOf(false, 0)).toBe("Fanline - FHIR assistant");
    expect(titleOf(true, 2)).toBe("(running) Fanline - FHIR assistant");
    expect(titleOf(false, 2)).toBe("(2) Fanline - FHIR assistant");
  });

  it("counts a reply that nobody saw, until somebody looks", () => {
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const page = renderHook(useTitle, { initialProps: sessionAfter([]) });
    page.rerender(sessionAfter(running));
    expect(document.title).toBe("(running) Fanline - FHIR assistant");
    page.rerender(sessionAfter(finished));
    expect(document.title).toBe("(1) Fanline - FHIR assistant");
    hidden.mockReturnValue(false);
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    expect(document.title).toBe("Fanline - FHIR assistant");
  });

  it("counts no reply that was seen", () => {
    const page = renderHook(useTitle, { initialProps: sessionAfter(running) });
    page.rerender(sessionAfter(finished));
    expect(document.title).toBe("Fanline - FHIR assistant");
  });
});

describe("the place of the panel", () => {
  it("beside the chat is open until it is closed, also after a reload", () => {
    media.matches = true;
    const first = renderHook(usePanelPlace);
    expect(first.result.current).toMatchObject({ isAside: true, isOpen: true });
    act(() => first.result.current.toggle());
    expect(first.result.current.isOpen).toBe(false);
    expect(window.localStorage.getItem("telemetry-panel-collapsed")).toBe("true");
    expect(renderHook(usePanelPlace).result.current.isOpen).toBe(false);
    act(() => first.result.current.toggle());
    expect(window.localStorage.getItem("telemetry-panel-collapsed")).toBe("false");
  });

  it("in a narrow window is a drawer, which the chat opens and clears", () => {
    const { result } = renderHook(usePanelPlace);
    expect(result.current).toMatchObject({ isAside: false, isOpen: false });
    act(() => useLink.getState().focusPanel("turn-1"));
    expect(result.current.isOpen).toBe(true);
    act(() => useLink.getState().showInChat("turn-1"));
    expect(result.current.isOpen).toBe(false);
    // The same bubble again.
    act(() => useLink.getState().focusPanel("turn-1"));
    expect(result.current.isOpen).toBe(true);
  });

  it("in a narrow window stays over the chat when that is only glanced at", () => {
    const { result } = renderHook(usePanelPlace);
    act(() => result.current.toggle());
    act(() => useLink.getState().pointInChat("turn-1"));
    expect(result.current.isOpen).toBe(true);
  });

  it("is opened beside the chat by a bubble, and stays open when it points back", () => {
    media.matches = true;
    window.localStorage.setItem("telemetry-panel-collapsed", "true");
    const { result } = renderHook(usePanelPlace);
    act(() => useLink.getState().focusPanel("turn-1"));
    act(() => useLink.getState().showInChat("turn-1"));
    expect(result.current.isOpen).toBe(true);
    expect(useLink.getState().panelTurn).toBe("turn-1");
  });

  it("does not open a drawer again that the window had outgrown", () => {
    const { result } = renderHook(usePanelPlace);
    act(() => result.current.toggle());
    act(() => media.set(true));
    act(() => media.set(false));
    expect(result.current.isOpen).toBe(false);
  });
});

describe("the shortcuts", () => {
  const press = (key: string, fields: KeyboardEventInit = {}, target = document.body): void => {
    const init = { key, bubbles: true, cancelable: true, ...fields };
    target.dispatchEvent(new KeyboardEvent("keydown", init));
  };
  const actions = () => ({
    composer: vi.fn(),
    help: vi.fn(),
    "new-session": vi.fn(),
    sessions: vi.fn(),
    telemetry: vi.fn(),
  });

  it("do what they are for, unless they are switched off", () => {
    const done = actions();
    renderHook(() => useShortcuts(done, vi.fn()));
    press("t");
    press("?");
    act(() => preferences.setState({ singleKeyShortcuts: false }));
    press("t");
    expect(done.telemetry).toHaveBeenCalledTimes(1);
    expect(done.help).toHaveBeenCalledTimes(1);
    expect(done.sessions).not.toHaveBeenCalled();
  });

  it("stop the run by Esc from wherever the focus is, also when they are switched off", () => {
    preferences.setState({ singleKeyShortcuts: false });
    const stop = vi.fn();
    renderHook(() => useShortcuts(actions(), stop));
    press("Escape");
    const field = document.body.appendChild(document.createElement("textarea"));
    press("Escape", {}, field);
    field.remove();
    expect(stop).toHaveBeenCalledTimes(2);
  });
});
