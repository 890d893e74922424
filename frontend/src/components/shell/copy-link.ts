import { linkTo } from "@/app/routes";
import { announcements } from "@/components/shell/announcement-queue";
import { showToast } from "@/components/ui/toast-store";
import { copyText } from "@/lib/copy-text";
import type { Id } from "@/session/state";

/** Copies a session's address, and says to eyes and ears whether that worked. */
export async function copyLink(sessionId: Id): Promise<void> {
  const isCopied = await copyText(linkTo(sessionId));
  const text = isCopied ? "Link copied" : "The link could not be copied";
  showToast(text, isCopied ? "success" : "error");
  announcements.announce({ region: "note", text });
}
