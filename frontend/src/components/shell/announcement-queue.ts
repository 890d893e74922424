/**
 * What is being told to a screen reader, one thing at a time.
 *
 * A region that changes twice within a moment is read once, or not to its end. So texts are spaced,
 * and taken away afterwards, or a reader who walks the page would meet them again.
 */
import { createStore, type StoreApi } from "zustand/vanilla";

/** Notes say what goes on and become stale; replies and alerts are never dropped. */
type Region = "note" | "reply" | "alert";
export type Announcement = { readonly region: Region; readonly text: string };
/** `count` tells two announcements of the same words apart. */
export type Spoken = { readonly text: string; readonly count: number };
type SpokenByRegion = Readonly<Record<Region, Spoken>>;

export const SPACING_MS = 400;
/** How long the last text stays after that. */
export const LINGER_MS = 1600;
/** More than a few notes at once is chatter: the oldest give way. */
export const MAX_NOTES = 3;

const NOTHING: Spoken = { text: "", count: 0 };
const SILENCE: SpokenByRegion = { note: NOTHING, reply: NOTHING, alert: NOTHING };

export type AnnouncementQueue = {
  /** What the regions say at this moment. */
  readonly spoken: StoreApi<SpokenByRegion>;
  readonly announce: (announcement: Announcement) => void;
};

/** A queue that says nothing yet. */
export function createAnnouncementQueue(): AnnouncementQueue {
  const spoken = createStore<SpokenByRegion>(() => SILENCE);
  let waiting: readonly Announcement[] = [];
  let isSpaced = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let count = 0;

  const sayNext = (): void => {
    clearTimeout(timer);
    const [next, ...rest] = waiting;
    isSpaced = next === undefined;
    if (next === undefined) {
      timer = setTimeout(() => spoken.setState(SILENCE), LINGER_MS);
      return;
    }
    waiting = rest;
    count += 1;
    spoken.setState({ [next.region]: { text: next.text, count } });
    timer = setTimeout(sayNext, SPACING_MS);
  };

  return {
    spoken,
    announce: (announcement) => {
      waiting = queued(waiting, announcement);
      if (isSpaced) sayNext();
    },
  };
}

/** The one queue of the page. */
export const announcements = createAnnouncementQueue();

/** What waits after `next` has joined: a reply, or that there is none, makes earlier notes stale. */
function queued(waiting: readonly Announcement[], next: Announcement): readonly Announcement[] {
  const kept = waiting.filter(({ region }) => region !== "note");
  if (next.region !== "note") return [...kept, next];
  const notes = waiting.filter(({ region }) => region === "note");
  return [...kept, ...[...notes, next].slice(-MAX_NOTES)];
}
