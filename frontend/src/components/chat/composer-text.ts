/** What a message may be, before it is sent (DESIGN section 5). Pure. */

export const MOST_CODE_POINTS = 32_768;
const COUNTED_FROM = MOST_CODE_POINTS - 1000;

/** The message's length in code points when it comes near the limit, else null. */
export function lengthNearLimit(text: string): number | null {
  // There are never more code points than UTF-16 units, and counting units costs nothing.
  if (text.length < COUNTED_FROM) return null;
  let count = 0;
  for (const _ of text.trim()) count += 1;
  return count < COUNTED_FROM ? null : count;
}
