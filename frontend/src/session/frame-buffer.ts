/**
 * Frames between their arrival and the screen: handed on together, at most once per animation frame.
 *
 * A hidden tab gets no animation frames; there a slow timer does it, so that the state (and with it
 * the cursor) keeps up and the title can say what happened.
 */
import type { Frame } from "@/protocol/guard";

const HIDDEN_MS = 250;

export class FrameBuffer {
  private frames: Frame[] = [];
  private cancel: (() => void) | null = null;

  constructor(private readonly onFlush: (frames: readonly Frame[]) => void) {}

  push(frame: Frame): void {
    this.frames.push(frame);
    this.cancel ??= schedule(this.flush);
  }

  /** Hand on what is there, at once. */
  readonly flush = (): void => {
    this.cancel?.();
    this.cancel = null;
    if (this.frames.length === 0) return;
    const frames = this.frames;
    this.frames = [];
    this.onFlush(frames);
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
