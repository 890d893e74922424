import { CircleAlert, WifiOff } from "lucide-react";
import { useEffect, useState } from "react";
import type { ConnectionView } from "@/session/state";
import { MOST_CODE_POINTS } from "./composer-text";

/** A connection that is back sooner was never missed. */
const OFFLINE_AFTER_MS = 1000;

type ComposerNotesProps = {
  id: string;
  connection: Pick<ConnectionView, "state" | "reason">;
  /** The length of what is typed, when it comes near the limit. */
  length: number | null;
};

/** What there is to know about the message before it is sent; it describes the field. */
export function ComposerNotes({ id, connection, length }: ComposerNotesProps) {
  const isOffline = useLasting(connection.state !== "connected", OFFLINE_AFTER_MS);
  const isTooLong = length !== null && length > MOST_CODE_POINTS;
  return (
    <div id={id} className="flex min-w-0 flex-wrap items-center gap-x-3 text-xs empty:hidden">
      {isOffline && (
        <p className="flex items-center gap-1.5 text-muted-foreground">
          <WifiOff aria-hidden className="size-3.5 shrink-0" />
          {whenSent(connection)}
        </p>
      )}
      {isTooLong && (
        <p role="alert" className="flex items-center gap-1.5 text-destructive">
          <CircleAlert aria-hidden className="size-3.5 shrink-0" />
          This message is too long to be sent
        </p>
      )}
      {length !== null && (
        <p
          className={`ms-auto tabular-nums ${isTooLong ? "text-destructive" : "text-muted-foreground"}`}
        >
          {length.toLocaleString("en")} / {MOST_CODE_POINTS.toLocaleString("en")} characters
        </p>
      )}
    </div>
  );
}

function whenSent({ reason }: ComposerNotesProps["connection"]): string {
  switch (reason) {
    case "offline":
      return "Offline: it will be sent when the connection is back";
    case "unauthorized":
      return "Signed out: it will be sent when you have signed in";
    case "forbidden":
      return "Not open to you: it waits here, and is sent nowhere";
    case "refused":
      return "Refused by the service: it waits here until you press Retry now";
    default:
      return "Not connected: it will be sent when the connection is back";
  }
}

/** Whether `isOn` has been so for some time. */
function useLasting(isOn: boolean, ms: number): boolean {
  const [hasLasted, setHasLasted] = useState(false);
  useEffect(() => {
    if (!isOn) return;
    const timer = setTimeout(() => setHasLasted(true), ms);
    return () => {
      clearTimeout(timer);
      setHasLasted(false);
    };
  }, [isOn, ms]);
  return isOn && hasLasted;
}
