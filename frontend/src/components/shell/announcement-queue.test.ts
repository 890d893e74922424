import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type AnnouncementQueue,
  createAnnouncementQueue,
  LINGER_MS,
  MAX_NOTES,
  SPACING_MS,
} from "@/components/shell/announcement-queue";

let queue: AnnouncementQueue;
/** Every text that a region was given, in order. */
let heard: string[];

beforeEach(() => {
  vi.useFakeTimers();
  queue = createAnnouncementQueue();
  heard = [];
  queue.spoken.subscribe((now, before) => {
    for (const region of ["note", "reply", "alert"] as const) {
      if (now[region] !== before[region]) heard.push(now[region].text);
    }
  });
});

describe("the announcements", () => {
  it("are spaced", () => {
    queue.announce({ region: "note", text: "one" });
    queue.announce({ region: "reply", text: "two" });
    expect(heard).toEqual(["one"]);
    vi.advanceTimersByTime(SPACING_MS - 1);
    expect(heard).toEqual(["one"]);
    vi.advanceTimersByTime(1);
    expect(heard).toEqual(["one", "two"]);
  });

  it("are taken away afterwards", () => {
    queue.announce({ region: "reply", text: "one" });
    vi.advanceTimersByTime(SPACING_MS + LINGER_MS);
    expect(queue.spoken.getState().reply.text).toBe("");
  });

  it("come at once when the last is long enough ago", () => {
    queue.announce({ region: "note", text: "one" });
    vi.advanceTimersByTime(SPACING_MS);
    queue.announce({ region: "note", text: "two" });
    expect(heard).toEqual(["one", "two"]);
    // And stay as long as any other.
    vi.advanceTimersByTime(LINGER_MS);
    expect(queue.spoken.getState().note.text).toBe("two");
  });

  it("tell the same words apart", () => {
    queue.announce({ region: "note", text: "again" });
    const first = queue.spoken.getState().note;
    queue.announce({ region: "note", text: "again" });
    vi.advanceTimersByTime(SPACING_MS);
    expect(queue.spoken.getState().note.count).not.toBe(first.count);
  });

  it("leave old notes out when too many wait", () => {
    for (let n = 0; n < MAX_NOTES + 3; n += 1) queue.announce({ region: "note", text: `${n}` });
    vi.advanceTimersByTime(SPACING_MS * 10);
    expect(heard.filter((text) => text !== "")).toEqual(["0", "3", "4", "5"]);
  });

  it("lose no reply, and leave out the notes that a reply has overtaken", () => {
    queue.announce({ region: "note", text: "responding" });
    queue.announce({ region: "note", text: "running" });
    queue.announce({ region: "reply", text: "first" });
    queue.announce({ region: "reply", text: "second" });
    queue.announce({ region: "alert", text: "failed" });
    vi.advanceTimersByTime(SPACING_MS * 10);
    expect(heard.filter((text) => text !== "")).toEqual([
      "responding",
      "first",
      "second",
      "failed",
    ]);
  });
});
