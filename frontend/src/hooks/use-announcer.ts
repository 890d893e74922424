/** Tells a screen reader what happens: what goes on in short, and each reply once, when it is whole. */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { fetchPlainText } from "@/app/parts";
import { type AnnounceReplies, preferences } from "@/app/preferences";
import { type Announcement, announcements } from "@/components/shell/announcement-queue";
import { reasonInWords } from "@/components/shell/connection-words";
import type { Happening } from "@/hooks/live-turns";
import { answerOf } from "@/session/messages";
import type { ConnectionView } from "@/session/state";

const FINISHED = "Reply finished";

/** A change of the connection that is over sooner is not worth a word. */
const SETTLED_MS = 1000;

/** Announces how the connection is, and whatever happening the returned function is given. */
export function useAnnouncer(connection: ConnectionView): (happening: Happening) => void {
  const replies = useStore(preferences, (chosen) => chosen.announceReplies);
  useConnectionAnnouncer(connection);
  return (happening) => {
    const announcement = announcementOf(happening, replies);
    if (announcement !== null) void tell(announcement);
  };
}

/**
 * What is said of something that happened, of a reply its Markdown; null for nothing. A failure is
 * an alert here and not in the conversation, where it would be told again each time the page loads.
 */
function announcementOf(happening: Happening, replies: AnnounceReplies): Announcement | null {
  if (happening.kind === "started") return { region: "note", text: "Assistant is responding" };
  if (happening.kind === "tool_call") {
    return { region: "note", text: `Running ${happening.call.toolName}` };
  }
  if (happening.turn.status === "cancelled") return { region: "note", text: "Reply stopped" };
  if (happening.turn.status === "failed") {
    return {
      region: "alert",
      text: `The reply failed. ${happening.turn.error?.error ?? ""}`.trim(),
    };
  }
  if (replies === "off") return null;
  return { region: "reply", text: replies === "full" ? answerOf(happening.turn) : "" };
}

async function tell({ region, text }: Announcement): Promise<void> {
  announcements.announce({ region, text: region === "reply" ? await inWords(text) : text });
}

/** Markdown as it is spoken. The parser is fetched with the first reply, not with the page. */
async function inWords(markdown: string): Promise<string> {
  if (markdown.trim() === "") return FINISHED;
  try {
    const { spokenReply } = await fetchPlainText();
    return spokenReply(markdown) || FINISHED;
  } catch {
    return FINISHED;
  }
}

/** What is said of a connection that has been so for a while. */
function connectionAnnouncementOf({ state, reason, reconnects }: ConnectionView): string {
  if (state === "connected") return "Reconnected";
  const why = reason === null ? "" : ` ${reasonInWords(reason)}.`;
  if (state === "reconnecting" && reconnects === 0) return `Not connected yet.${why}`;
  return state === "reconnecting" ? `Connection lost.${why} Reconnecting.` : `Disconnected.${why}`;
}

function useConnectionAnnouncer(connection: ConnectionView): void {
  const { state, reason } = connection;
  // Of the count of losses only whether there is one: each would be told otherwise.
  const reconnects = Math.min(connection.reconnects, 1);
  // A page that opens is about to connect; only a connection that does not come is told.
  const told = useRef("Reconnected");
  const isDisconnected = useRef(false);
  useEffect(() => {
    // Somebody asks to try again: what comes of it is news, also when it is the same.
    if (state === "reconnecting" && isDisconnected.current) told.current = "";
    isDisconnected.current = state === "disconnected";
    const timer = setTimeout(() => {
      const text = connectionAnnouncementOf({ state, reason, reconnects });
      if (text === told.current) return;
      told.current = text;
      announcements.announce({ region: "note", text });
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [state, reason, reconnects]);
}
