/** What the operators of a pattern have in common. */

/** What stands at a leaf of an event. */
export type Scalar = string | number | boolean | null;

export type ValueTest = (value: Scalar) => boolean;

/** Notes a fault at a JSON pointer into the pattern. Returns null, for `return report(...)`. */
export type Report = (pointer: string, detail: string) => null;
