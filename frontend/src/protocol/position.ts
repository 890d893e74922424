/** A place in a session's log: `<epoch>-<seq>`, two integers below 2^53 (DESIGN section 2). */
export type Position = { readonly epoch: number; readonly seq: number };

const POSITION = /^(\d{1,16})-(\d{1,16})$/;

/** The position that `text` writes, or null for what is none. */
export function parsePosition(text: string): Position | null {
  const parts = POSITION.exec(text);
  if (parts === null) return null;
  const epoch = Number(parts[1]);
  const seq = Number(parts[2]);
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) ? { epoch, seq } : null;
}

export function formatPosition(position: Position): string {
  return `${position.epoch}-${position.seq}`;
}

/** Negative, zero or positive as `a` lies before, at or after `b`. Never compare positions as text. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}
