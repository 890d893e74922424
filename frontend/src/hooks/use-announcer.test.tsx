import { act, renderHook } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULTS, preferences } from "@/app/preferences";
import { type Announcement, announcements } from "@/components/shell/announcement-queue";
import { useAnnouncer } from "@/hooks/use-announcer";
import { useHappenings } from "@/hooks/use-happenings";
import { messagesOf } from "@/session/messages";
import type { ConnectionView } from "@/session/state";
import { FrameWriter, stateAfter } from "@/test/builders";

type Frames = Parameters<typeof stateAfter>[0];
type Props = { frames: Frames; connection: ConnectionView };

const CONNECTED: ConnectionView = { state: "connected", reason: null, reconnects: 0 };
const LOST: ConnectionView = { state: "reconnecting", reason: "unreachable", reconnects: 1 };
const GONE: ConnectionView = { state: "disconnected", reason: "offline", reconnects: 2 };

let heard: Announcement[];

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  vi.spyOn(announcements, "announce").mockImplementation((said) => heard.push(said));
});

afterEach(() => preferences.setState(DEFAULTS));

function openPage(frames: Frames = []) {
  const use = ({ frames, connection }: Props): void => {
    const { turns } = stateAfter(frames);
    const messages = messagesOf(turns, []);
    useHappenings({ turns, messages, isLoaded: true, head: null }, useAnnouncer(connection));
  };
  const page = renderHook(use, {
    wrapper: StrictMode,
    initialProps: { frames, connection: CONNECTED },
  });
  return {
    see: (frames: Frames) => page.rerender({ frames, connection: CONNECTED }),
    connect: (connection: ConnectionView) => page.rerender({ frames, connection }),
  };
}

/** A reply as it comes: a state of the log for each frame. */
function aReply(text: string, end: Record<string, unknown> = {}): readonly Frames[] {
  const writer = new FrameWriter();
  const frames = [
    writer.message(),
    writer.started(),
    writer.toolCall(),
    writer.toolResult(),
    writer.piece(text.slice(0, 3)),
    writer.piece(text.slice(3, 6)),
    writer.text(text),
    writer.finished(end),
  ];
  return frames.map((_, index) => frames.slice(0, index + 1));
}

function textsIn(region: Announcement["region"]): readonly string[] {
  return heard.filter((said) => said.region === region).map(({ text }) => text);
}

describe("a reply", () => {
  it("is told once, whole, as plain text, however many pieces it came in", async () => {
    const page = openPage();
    for (const state of aReply("There is **one** patient.")) page.see(state);
    await vi.waitFor(() => expect(textsIn("reply")).toEqual(["There is one patient."]));
    expect(textsIn("note")).toEqual(["Assistant is responding", "Running search_patients"]);
  });

  it("that was there when the page opened is not told", () => {
    const page = openPage(aReply("Old.").at(-1));
    page.see(aReply("Old.").at(-1) ?? []);
    expect(heard).toEqual([]);
  });

  it("is told only as finished where the user wants no more", async () => {
    preferences.setState({ announceReplies: "finish" });
    const page = openPage();
    for (const state of aReply("There is one patient.")) page.see(state);
    await vi.waitFor(() => expect(textsIn("reply")).toEqual(["Reply finished"]));
  });

  it("is not told where the user wants nothing, and not later either", () => {
    preferences.setState({ announceReplies: "off" });
    const page = openPage();
    for (const state of aReply("There is one patient.")) page.see(state);
    act(() => preferences.setState({ announceReplies: "full" }));
    expect(textsIn("reply")).toEqual([]);
  });

  it("that was stopped is told as stopped", () => {
    const page = openPage();
    for (const state of aReply("Half", { status: "cancelled" })) page.see(state);
    expect(textsIn("reply")).toEqual([]);
    expect(textsIn("note").at(-1)).toBe("Reply stopped");
  });

  it("that failed is an alert, once", () => {
    const page = openPage();
    const error = { code: "model", error: "The model failed." };
    for (const state of aReply("Half", { status: "failed", error })) page.see(state);
    expect(textsIn("alert")).toEqual(["The reply failed. The model failed."]);
    expect(textsIn("reply")).toEqual([]);
  });
});

describe("the connection", () => {
  it("that is lost for a moment is not told", () => {
    const page = openPage();
    page.connect(LOST);
    vi.advanceTimersByTime(300);
    page.connect(CONNECTED);
    vi.advanceTimersByTime(10_000);
    expect(heard).toEqual([]);
  });

  it("that stays lost is told, and that it is back", () => {
    const page = openPage();
    page.connect(LOST);
    vi.advanceTimersByTime(1000);
    page.connect(GONE);
    vi.advanceTimersByTime(1000);
    page.connect(CONNECTED);
    vi.advanceTimersByTime(1000);
    expect(textsIn("note")).toEqual([
      "Connection lost. The service cannot be reached. Reconnecting.",
      "Disconnected. You are offline.",
      "Reconnected",
    ]);
  });

  it("that does not come at first is told as such", () => {
    const page = openPage();
    page.connect({ ...LOST, reconnects: 0 });
    vi.advanceTimersByTime(1000);
    expect(textsIn("note")).toEqual(["Not connected yet. The service cannot be reached."]);
  });

  it("that tries again and again is told once", () => {
    const page = openPage();
    for (let reconnects = 1; reconnects < 5; reconnects += 1) {
      page.connect({ ...LOST, reconnects });
      vi.advanceTimersByTime(5000);
    }
    expect(heard).toHaveLength(1);
  });

  it("that somebody tries in vain is told again, and one that is tried by itself is not", () => {
    const page = openPage();
    const out = { state: "disconnected", reason: "unauthorized", reconnects: 1 } as const;
    page.connect(out);
    vi.advanceTimersByTime(1000);
    page.connect({ ...out });
    vi.advanceTimersByTime(1000);
    expect(textsIn("note")).toEqual(["Disconnected. You are signed out."]);
    page.connect({ ...out, state: "reconnecting" });
    vi.advanceTimersByTime(50);
    page.connect(out);
    vi.advanceTimersByTime(1000);
    expect(textsIn("note")).toEqual(Array(2).fill("Disconnected. You are signed out."));
  });
});
