import { useStore } from "zustand";
import { announcements, type Spoken } from "@/components/shell/announcement-queue";

/**
 * The live regions of the page: short notes of what goes on, each reply once, and failures. Always
 * mounted, because a region that appears together with its text is not read. `aria-live` is said
 * even where the role implies it: an open dialog hides all of the page from assistive technology
 * but what has that attribute.
 */
export function Announcer() {
  const { note, reply, alert } = useStore(announcements.spoken);
  return (
    <div className="sr-only">
      <div role="status" aria-live="polite" data-announcer="note">
        <Said spoken={note} />
      </div>
      <div aria-live="polite" data-announcer="reply">
        <Said spoken={reply} />
      </div>
      <div role="alert" aria-live="assertive" data-announcer="alert">
        <Said spoken={alert} />
      </div>
    </div>
  );
}

/** A new paragraph each time: that is what is read, also when its words are the same. */
function Said({ spoken }: { spoken: Spoken }) {
  return spoken.text === "" ? null : <p key={spoken.count}>{spoken.text}</p>;
}
