import { ArrowDown } from "lucide-react";
import { type RefObject, useRef } from "react";
import { Button } from "@/components/ui/button";

type JumpToLatestProps = {
  log: RefObject<HTMLElement | null>;
  onJump: () => void;
};

/** Back to the newest message. The focus moves to the log only from here or from within the log. */
export function JumpToLatest({ log, onJump }: JumpToLatestProps) {
  const button = useRef<HTMLButtonElement>(null);

  function jump(): void {
    const focused = document.activeElement;
    // This button goes away, and the focus must not go with it.
    if (focused === button.current || log.current?.contains(focused)) {
      log.current?.focus({ preventScroll: true });
    }
    onJump();
  }

  return (
    <Button
      ref={button}
      variant="outline"
      size="sm"
      className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full bg-popover shadow-md"
      // A click leaves the focus where it is, in the composer for one.
      onMouseDown={(event) => event.preventDefault()}
      onClick={jump}
    >
      <ArrowDown aria-hidden />
      Jump to latest
    </Button>
  );
}
