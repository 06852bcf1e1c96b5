/** The operator `numeric`: `["=", 5]`, `["<", 5]`, `[">=", 0]`, `[">", 0, "<=", 5]`. */
import type { Report, ValueTest } from "./value-test.ts";

/**
 * Any number that a double holds, or null. The guide speaks of -5e9 to 5e9 and six digits after the point; EventBridge
 * has gone beyond that since 2024. https://github.com/aws/event-ruler/pull/188
 */
export function readNumber(given: unknown, pointer: string, report: Report): number | null {
  return Number.isFinite(given) ? (given as number) : report(pointer, "expected a number");
}

type Comparison = (value: number, bound: number) => boolean;

const LOWER: Readonly<Record<string, Comparison>> = {
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};
const UPPER: Readonly<Record<string, Comparison>> = {
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
};
const EQUAL: Readonly<Record<string, Comparison>> = { "=": (value, bound) => value === bound };

/** Reads the argument: one comparison, or a lower bound and a greater upper one. */
export function numericTest(argument: unknown, pointer: string, report: Report): ValueTest | null {
  if (!Array.isArray(argument) || argument.length === 0)
    return report(pointer, "expected an array of comparisons and numbers");
  const [first, firstBound, second, secondBound] = argument;
  const isRange = argument.length > 2;
  if (argument.length > 4) return report(`${pointer}/4`, "expected two comparisons at most");
  const lower = readComparison(first, isRange ? LOWER : { ...LOWER, ...UPPER, ...EQUAL }, `${pointer}/0`, report);
  const bound = readNumber(firstBound, `${pointer}/1`, report);
  if (lower === null || bound === null) return null;
  if (!isRange) return onNumbers((value) => lower(value, bound));

  const upper = readComparison(second, UPPER, `${pointer}/2`, report);
  const upperBound = readNumber(secondBound, `${pointer}/3`, report);
  if (upper === null || upperBound === null) return null;
  if (bound >= upperBound) return report(`${pointer}/3`, "expected an upper bound over the lower one");
  return onNumbers((value) => lower(value, bound) && upper(value, upperBound));
}

function readComparison(
  given: unknown,
  among: Readonly<Record<string, Comparison>>,
  pointer: string,
  report: Report,
): Comparison | null {
  if (typeof given === "string" && Object.hasOwn(among, given)) return among[given] as Comparison;
  return report(pointer, `expected one of ${Object.keys(among).join(" ")}`);
}

function onNumbers(test: (value: number) => boolean): ValueTest {
  return (value) => typeof value === "number" && test(value);
}
