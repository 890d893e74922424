/** Lengths of time, the marks of a time axis, and times of day, as a person reads them. Pure. */

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The lengths an axis takes while its turn runs, times a power of ten: it grows by steps, so that
 * bars stand still between them. */
const EXTENTS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const STEPS = [1, 2, 5, 10];
/** Where minutes begin to count, tens are no longer round. */
const LONG_STEPS_MS = [20, 30, 60, 120, 300, 600, 1200, 1800].map((seconds) => seconds * SECOND);
const SHORTEST_AXIS_MS = 1000;
const MOST_TICKS = 5;

/** The time of day in this browser's zone, to the millisecond. */
export function formatClock(at: number): string {
  return CLOCK.format(at);
}

/** "120 ms", "4.1 s", "2 min 5 s". */
export function formatDuration(ms: number): string {
  // What would round up to 1000 ms or to 60.0 s belongs to the next unit.
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The length of the axis of a turn that has run for `ms`: a round one that is not shorter. */
export function growingExtent(ms: number): number {
  if (ms <= SHORTEST_AXIS_MS) return SHORTEST_AXIS_MS;
  const unit = 10 ** Math.floor(Math.log10(ms));
  const factor = EXTENTS.find((extent) => extent * unit >= ms) ?? 10;
  return factor * unit;
}

/** The distance between marks on an axis of `ms`: round, and never more than five marks after 0. */
export function tickStep(ms: number): number {
  const least = Math.max(ms, 1) / MOST_TICKS;
  if (least > 10 * SECOND) {
    const step = LONG_STEPS_MS.find((each) => each >= least);
    return step ?? Math.ceil(least / HOUR) * HOUR;
  }
  const unit = 10 ** Math.floor(Math.log10(least));
  const factor = STEPS.find((step) => step * unit >= least) ?? 10;
  return factor * unit;
}

/** Where the marks of an axis of `ms` stand, 0 first. */
export function ticksOf(ms: number): readonly number[] {
  const step = tickStep(ms);
  const count = Math.floor(ms / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** A mark's words: short, `0`, `250 ms`, `1.5 s`, `2 min`. */
export function formatTick(ms: number): string {
  if (ms === 0) return "0";
  if (ms < SECOND) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 2 * MINUTE) return `${Number((ms / SECOND).toPrecision(3))} s`;
  if (ms < 2 * HOUR) return `${Number((ms / MINUTE).toPrecision(3))} min`;
  return `${Number((ms / HOUR).toPrecision(3))} h`;
}
