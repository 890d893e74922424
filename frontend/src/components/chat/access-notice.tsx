import { LockKeyhole } from "lucide-react";
import { Button } from "@/components/ui/button";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { cn } from "@/lib/cn";
import { signInUrl } from "@/lib/sign-in";
import type { AccessReason } from "@/session/state";

const HEADING_ID = "access-heading";

type AccessNoticeProps = {
  reason: AccessReason;
  /** The answer to another try has not come yet. */
  isTrying: boolean;
  /** There is nothing else to see: it takes the place of the conversation. */
  isAlone: boolean;
  onRetry: () => void;
  onShowSessions: () => void;
};

/**
 * Why the session is not open to whoever sits there, and what they can do about it. It speaks to
 * nobody: the announcer tells that the connection is gone, and why.
 */
export function AccessNotice(props: AccessNoticeProps) {
  const { reason, isTrying, isAlone, onRetry, onShowSessions } = props;
  // It goes away when one of its buttons has done its work.
  const notice = useFocusHeir<HTMLElement>();
  const signIn = signInUrl(window.location.href);
  const isForbidden = reason === "forbidden";
  const size = isAlone ? "default" : "sm";
  return (
    <section
      ref={notice}
      aria-labelledby={HEADING_ID}
      className={cn(
        "flex min-w-0 gap-3",
        isAlone
          ? "min-h-0 flex-1 flex-col items-center justify-center-safe overflow-auto p-6 text-center"
          : "flex-wrap items-center border-b bg-card px-4 py-2",
      )}
    >
      <LockKeyhole
        aria-hidden
        className={cn("shrink-0 text-warning", isAlone ? "size-8" : "size-5")}
      />
      <div className={cn("min-w-0", isAlone ? "max-w-md" : "flex-1 basis-60")}>
        <h3 id={HEADING_ID} className={isAlone ? "text-xl font-semibold" : "text-sm font-medium"}>
          {isForbidden ? "You may not open this session" : "You are signed out"}
        </h3>
        <p
          className={cn("text-muted-foreground", isAlone ? "mt-2 text-sm text-balance" : "text-xs")}
        >
          {isForbidden ? FORBIDDEN : signedOut(signIn !== null)}
        </p>
      </div>
      <div className={cn("flex flex-wrap gap-2", isAlone && "mt-2 justify-center")}>
        {isForbidden && (
          <Button size={size} onClick={onShowSessions}>
            Other sessions
          </Button>
        )}
        {signIn !== null && (
          <Button asChild size={size} variant={isForbidden ? "outline" : "default"}>
            <a href={signIn}>Sign in</a>
          </Button>
        )}
        <Button
          variant="outline"
          size={size}
          aria-disabled={isTrying}
          onClick={() => !isTrying && onRetry()}
        >
          {isTrying ? "Trying …" : "Try again"}
        </Button>
      </div>
    </section>
  );
}

const FORBIDDEN =
  "Your sign-in does not include it. Open another one, or sign in as somebody who may.";

function signedOut(hasLink: boolean): string {
  const how = hasLink ? "Sign in to go on." : "Sign in in another tab, and come back to this one.";
  return `${how} What you have written is kept until then.`;
}
