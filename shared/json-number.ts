/** Whether a number, as written in JSON, is still the same number once it is a double. */

/** A double has at most 17 significant digits that matter; up to 15 are always kept. https://en.wikipedia.org/wiki/Double-precision_floating-point_format */
const ALWAYS_KEPT_DIGITS = 15;

/** What `toExponential` can print, and far more than anybody means. */
const MAX_DIGITS = 100;

/**
 * Whether the double, printed with as many significant digits as the literal has, is the literal's value.
 *
 * Zeros at the end do not count as significant: `1.0`, `0.10` and `100000000000000000000` survive. What overflows
 * (`1e400`), what is not zero but would become so, and `9007199254740993` do not. A literal that is no number survives:
 * it is for the parser to refuse.
 */
export function survivesAsDouble(literal: string): boolean {
  // Without an exponent nothing so short overflows or has too many digits.
  if (literal.length <= ALWAYS_KEPT_DIGITS && !literal.includes("e") && !literal.includes("E")) return true;
  const double = Number(literal);
  // What JavaScript itself writes.
  if (String(double) === literal) return true;
  if (Number.isNaN(double)) return true;
  const written = significand(literal);
  if (written.digits === "") return true;
  if (!Number.isFinite(double) || double === 0 || written.digits.length > MAX_DIGITS) return false;
  const kept = significand(Math.abs(double).toExponential(written.digits.length - 1));
  return kept.digits === written.digits && kept.exponent === written.exponent;
}

/**
 * A literal as 0.d1d2d3... x 10^exponent: `digits` neither begins nor ends with a zero and is empty for zero.
 * The literal is one that `Number` understands.
 */
function significand(literal: string): { digits: string; exponent: number } {
  const unsigned = literal.startsWith("-") ? literal.slice(1) : literal;
  const [mantissa = "", power = "0"] = unsigned.split(/e/i);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  let first = 0;
  while (first < all.length && all[first] === "0") first++;
  let last = all.length;
  while (last > first && all[last - 1] === "0") last--;
  return { digits: all.slice(first, last), exponent: Number(power) + whole.length - first };
}
