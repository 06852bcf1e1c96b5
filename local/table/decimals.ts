/**
 * Numbers as DynamoDB has them: decimals of up to 38 digits, exact, as texts.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
import { invalidCall } from "./errors.ts";

const MAX_DIGITS = 38;
/** Powers of ten: of the first digit of the largest, and of the smallest number but zero. */
const LARGEST = 125;
const SMALLEST = -130;

/** `units` times ten to the power of `-scale`. */
interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** Integers as the bus writes them, of which a double tells each from the next, as their sum too. */
const isPlain = (text: string): boolean => /^(0|-?[1-9]\d{0,14})$/.test(text);

/** The one way in which a number is written. @throws Error `ValidationException` for what is no number, or too long */
export const canonical = (text: string): string => (isPlain(text) ? text : format(parse(text)));

/** Under 0, 0 or over 0. @throws Error `ValidationException` */
export function compareDecimals(left: string, right: string): number {
  if (isPlain(left) && isPlain(right)) return Number(left) - Number(right);
  const [a, b] = aligned(parse(left), parse(right));
  return a === b ? 0 : a < b ? -1 : 1;
}

/** @throws Error `ValidationException` for a sum that is too long */
export function addDecimals(left: string, right: string): string {
  if (isPlain(left) && isPlain(right)) return canonical(String(Number(left) + Number(right)));
  const [first, second] = [parse(left), parse(right)];
  const [a, b, scale] = aligned(first, second);
  return format(bounded({ units: a + b, scale }));
}

/** @throws Error `ValidationException` */
export const subtractDecimals = (left: string, right: string): string =>
  addDecimals(left, right.startsWith("-") ? right.slice(1) : `-${right}`);

function parse(text: string): Decimal {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,5}))?$/i.exec(text) ?? [];
  if (sign === undefined || whole + fraction === "")
    throw invalidCall(`The parameter cannot be converted to a numeric value: ${text}`);
  const units = BigInt(whole + fraction);
  return bounded({ units: sign === "-" ? -units : units, scale: fraction.length - Number(exponent) });
}

function bounded({ units, scale }: Decimal): Decimal {
  if (units === 0n) return { units, scale: 0 };
  const digits = String(units).replace("-", "");
  const significant = digits.replace(/0+$/, "");
  const first = digits.length - 1 - scale;
  if (first > LARGEST) throw invalidCall("Number overflow. Attempting to store a number with too large a magnitude");
  if (first < SMALLEST) throw invalidCall("Number underflow. Attempting to store a number with too small a magnitude");
  if (significant.length > MAX_DIGITS)
    throw invalidCall(`Attempting to store more than ${MAX_DIGITS} significant digits in a Number`);
  const dropped = digits.length - significant.length;
  return { units: units / 10n ** BigInt(dropped), scale: scale - dropped };
}

function aligned(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  const at = (decimal: Decimal): bigint => decimal.units * 10n ** BigInt(scale - decimal.scale);
  return [at(a), at(b), scale];
}

function format({ units, scale }: Decimal): string {
  if (scale <= 0) return String(units * 10n ** BigInt(-scale));
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
