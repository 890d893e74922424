/** Frames between their arrival and the screen: handed on together, as often as one can be seen. */
import type { Frame } from "@/protocol/guard";
import type { Surroundings } from "@/session/surroundings";

/** A frame, and this machine's time when it came. */
export type Arrival = { readonly frame: Frame; readonly at: number };

export class FrameBuffer {
  private arrivals: Arrival[] = [];
  private cancel: (() => void) | null = null;

  constructor(
    private readonly schedule: Surroundings["schedule"],
    private readonly onFlush: (arrivals: readonly Arrival[]) => void,
  ) {}

  push(frame: Frame): void {
    this.arrivals.push({ frame, at: Date.now() });
    this.cancel ??= this.schedule(this.flush);
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
