/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in one of the three forms of section 5.6.7. */

const SECONDS = /^\d+$/;
/** `Sun, 06 Nov 1994 08:49:37 GMT`, and `Sunday, 06-Nov-94 08:49:37 GMT` of old. */
const DATE = /^[A-Z][a-z]+, \d\d([ -])[A-Z][a-z]{2}\1(\d{4}|\d\d) \d\d:\d\d:\d\d GMT$/;
/** `Sun Nov  6 08:49:37 1994`, of old too; in UTC without saying so. */
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/**
 * How long to wait, in milliseconds; 0 when the date has passed, undefined when nothing that makes sense is said.
 *
 * @param nowMs epoch milliseconds
 */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  if (SECONDS.test(text)) return Math.min(Number(text) * 1_000, Number.MAX_SAFE_INTEGER);
  const atMs = DATE.test(text) ? Date.parse(text) : ASCTIME_DATE.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
