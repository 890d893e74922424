/**
 * Frames between their arrival and the screen: handed on together, at most once per animation frame.
 *
 * A hidden tab gets no animation frames; there a slow timer does it, so that the state (and with it
 * the cursor) keeps up and the title can say what happened.
 */
import type { Frame } from "@/protocol/guard";

const HIDDEN_MS = 250;

/** A frame, and this machine's time when it came. */
export type Arrival = { readonly frame: Frame; readonly at: number };

export class FrameBuffer {
  private arrivals: Arrival[] = [];
  private cancel: (() => void) | null = null;

  constructor(private readonly onFlush: (arrivals: readonly Arrival[]) => void) {}

  push(frame: Frame): void {
    this.arrivals.push({ frame, at: Date.now() });
    this.cancel ??= schedule(this.flush);
  }

  /** Hand on what is there, at once. */
  readonly flush = (): void => {
    this.cancel?.();
    this.cancel = null;
    if (this.arrivals.length === 0) return;
    const arrivals = this.arrivals;
    this.arrivals = [];
    this.onFlush(arrivals);
  };
}

function schedule(flush: () => void): () => void {
  if (document.hidden) {
    const timer = setTimeout(flush, HIDDEN_MS);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(flush);
  // Hidden before it was painted: there would be no animation frame until the tab is looked at.
  document.addEventListener("visibilitychange", flush);
  return () => {
    cancelAnimationFrame(frame);
    document.removeEventListener("visibilitychange", flush);
  };
}
