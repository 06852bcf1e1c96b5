/**
 * A log record as one line of JSON, whatever is in it (goal S10): who reads a log splits it at the ends of lines, and a
 * record that cannot be written must not end the work that it tells of.
 */

/** Longer texts are cut: CloudWatch takes records of up to 256 KB, and nobody reads one. */
const MAX_TEXT_CHARS = 8_192;

/** Deeper values are left out. A record is ids and names; what is deep got there by accident. */
const MAX_DEPTH = 6;

/** Of a list or an object. */
const MAX_MEMBERS = 100;

/** Ends of lines to some readers, and what terminals obey, beside what JSON escapes itself: DEL, C1 and U+2028, U+2029. */
const HARMFUL = /[\u007f-\u009f\u2028\u2029]/g;

/** @param record its own fields go before: `fields` cannot pass for another level, message or time */
export function logLine(record: Readonly<Record<string, string>>, fields: object = {}): string {
  const line = JSON.stringify({ ...record, ...(readable(fields, []) as object), ...record });
  return line.replace(HARMFUL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What JSON can write of a value. @param within what it stands in */
function readable(value: unknown, within: readonly unknown[]): unknown {
  if (typeof value === "string") return value.length > MAX_TEXT_CHARS ? `${value.slice(0, MAX_TEXT_CHARS)}…` : value;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (within.includes(value)) return "(itself)";
  if (within.length > MAX_DEPTH) return "(more)";
  try {
    if (value instanceof Error) return readable(`${value.name}: ${value.message}`, within);
    if (value instanceof Date) return readable(String(value), within);
    const inside = [...within, value];
    if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((element) => readable(element, inside));
    return Object.fromEntries(
      Object.keys(value)
        .slice(0, MAX_MEMBERS)
        .map((name) => [name, member(value, name, inside)]),
    );
  } catch {
    return "(unreadable)";
  }
}

function member(of: object, name: string, within: readonly unknown[]): unknown {
  try {
    return readable((of as Record<string, unknown>)[name], within);
  } catch {
    return "(unreadable)";
  }
}
