/** What is asked: a field that the table does not know is refused, and not passed over. */
import { invalidCall, tableNotFound } from "./errors.ts";

/** @throws Error `ValidationException` for any other field that is given */
export function requireOnly(input: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input))
    if (value !== undefined && !known.includes(name))
      throw invalidCall(`The embedded table does not support ${name}; it knows ${known.join(", ")}.`);
}

/** @throws Error `ResourceNotFoundException` */
export function requireTable(asked: string | undefined, tableName: string): void {
  if (asked !== tableName) throw tableNotFound(String(asked));
}

/** @throws Error `ValidationException` */
export function requireOneOf(name: string, value: string | undefined, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value))
    throw invalidCall(`The embedded table does not support ${name} ${value}; it knows ${known.join(", ")}.`);
}
