/** Whether a number, as written in JSON, is still the same number once it is a double. */

/** A double has at most 17 significant digits that matter; up to 15 are always kept. https://en.wikipedia.org/wiki/Double-precision_floating-point_format */
const ALWAYS_KEPT_DIGITS = 15;

/** What `toExponential` can print, and far more than anybody means. */
const MAX_DIGITS = 100;

/**
 * Whether the double, printed with as many significant digits as the literal has, is the literal's value.
 *
 * Zeros at the end do not count as significant: `1.0`, `0.10` and `100000000000000000000` survive. What overflows
 * (`1e400`), what is not zero but would become so, and `9007199254740993` do not. Nor does `9223372036854775808`: a double
 * holds it, but is printed as 9223372036854776000, and who reads integers in full reads another one. A literal that is no
 * number survives: it is for the parser to refuse.
 */
export function survivesAsDouble(literal: string): boolean {
  // Without an exponent nothing so short overflows or has too many digits.
  if (literal.length <= ALWAYS_KEPT_DIGITS && !literal.includes("e") && !literal.includes("E")) return true;
  const double = Number(literal);
  // What JavaScript itself writes.
  if (String(double) === literal) return true;
  if (Number.isNaN(double)) return true;
  const written = significantDigits(literal);
  if (written === "") return true;
  if (!Number.isFinite(double) || written.length > MAX_DIGITS) return false;
  if (/^-?\d+$/.test(literal)) return significantDigits(String(double)) === written;
  // Digits are enough: no double is so far from what was written that only the exponent differs.
  return significantDigits(double.toExponential(written.length - 1)) === written;
}

/** The digits of a literal that `Number` understands, without the zeros before and after them; none for zero. */
function significantDigits(literal: string): string {
  const [mantissa = ""] = literal.split(/e/i);
  const digits = mantissa.replace("-", "").replace(".", "");
  let first = 0;
  while (first < digits.length && digits[first] === "0") first++;
  let end = digits.length;
  while (end > first && digits[end - 1] === "0") end--;
  return digits.slice(first, end);
}
