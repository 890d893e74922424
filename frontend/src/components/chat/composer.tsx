import { SendHorizontal, Square } from "lucide-react";
import { type KeyboardEvent, type MouseEvent, memo, useEffect } from "react";
import { Button } from "@/components/ui/button";
import { Textarea } from "@/components/ui/textarea";
import { useDraft } from "@/hooks/use-draft";
import { cn } from "@/lib/cn";
import type { ConnectionReason, ConnectionState, Id } from "@/session/state";
import { ComposerNotes } from "./composer-notes";
import { lengthNearLimit, MOST_CODE_POINTS } from "./composer-text";

const FIELD_ID = "composer-input";
const NOTES_ID = "composer-notes";

type ComposerProps = {
  sessionId: string;
  connectionState: ConnectionState;
  connectionReason: ConnectionReason | null;
  /** The turn that a stop would stop; null while none runs or waits. */
  stoppable: Id | null;
  /** What the arrow up brings back into an empty field. */
  lastMessage: string | null;
  sendMessage: (content: string) => Id;
  stop: (turnId: Id) => void;
};

/** Moves the focus to where one types, but on touch: the keyboard would cover half of the page. */
export function focusComposer(): void {
  if (window.matchMedia("(pointer: coarse)").matches) return;
  document.getElementById(FIELD_ID)?.focus();
}

/**
 * Where messages are written. It is never disabled: what is sent offline waits. Its one button
 * stops the run while there is one and nothing is typed, and sends otherwise.
 */
export const Composer = memo(function Composer({
  sessionId,
  connectionState,
  connectionReason,
  stoppable,
  lastMessage,
  sendMessage,
  stop,
}: ComposerProps) {
  const [text, setText] = useDraft(sessionId);
  const length = lengthNearLimit(text);
  const isTooLong = length !== null && length > MOST_CODE_POINTS;
  const isBlank = text.trim() === "";
  const isStop = isBlank && stoppable !== null;

  useEffect(() => {
    if (document.activeElement === document.body) focusComposer();
  }, []);

  function send(): void {
    if (isBlank || isTooLong) return;
    sendMessage(text.trim());
    setText("");
  }

  function pressKey(event: KeyboardEvent): void {
    // Enter ends the composition of a character, and is then no wish to send; Safari tells so by 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (!event.repeat) send();
    } else if (event.key === "ArrowUp" && text === "" && lastMessage !== null) {
      event.preventDefault();
      setText(lastMessage);
    }
  }

  function press(event: MouseEvent): void {
    if (!isStop) send();
    // The second half of a double click on Send is no wish to stop.
    else if (event.detail < 2) stop(stoppable);
  }

  return (
    <form
      className="mx-auto flex w-full max-w-[800px] min-w-0 flex-col gap-1.5 px-4 pt-2 pb-4"
      onSubmit={(event) => event.preventDefault()}
    >
      <ComposerNotes
        id={NOTES_ID}
        connection={{ state: connectionState, reason: connectionReason }}
        length={length}
      />
      <div className="flex min-w-0 items-end gap-2">
        <label htmlFor={FIELD_ID} className="sr-only">
          Message
        </label>
        <Textarea
          id={FIELD_ID}
          rows={1}
          dir="auto"
          autoComplete="off"
          enterKeyHint="send"
          placeholder="Ask a question…"
          value={text}
          aria-describedby={NOTES_ID}
          aria-invalid={isTooLong || undefined}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={pressKey}
          className={cn(
            "max-h-[calc(8lh+1.5rem)] flex-1 rounded-lg py-3 leading-normal touch:py-[0.5625rem] wrap-anywhere",
            isTooLong && "border-destructive",
          )}
        />
        <Button
          variant={isStop ? "secondary" : "default"}
          aria-disabled={!isStop && (isBlank || isTooLong)}
          className="h-12 min-w-12 rounded-lg px-3 sm:min-w-24 touch:h-11"
          // A click leaves the focus where it is: in the field, mostly.
          onMouseDown={(event) => event.preventDefault()}
          onClick={press}
        >
          {isStop ? (
            <Square aria-hidden className="fill-current" />
          ) : (
            <SendHorizontal aria-hidden />
          )}
          <span className="max-sm:sr-only">{isStop ? "Stop" : "Send"}</span>
        </Button>
      </div>
    </form>
  );
});
