import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDecimals, canonical, compareDecimals, subtractDecimals } from "../../../local/table/decimals.ts";

/** A number of hundredths as a text, and in another way to write it. */
const hundredths = (units: bigint): string => {
  const digits = String(units < 0n ? -units : units).padStart(3, "0");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
const units = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });

describe("numbers of the embedded table", () => {
  test("are added, subtracted and compared exactly, however long they are", () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        const [left, right] = [hundredths(a), hundredths(b)];
        expect(addDecimals(left, right)).toBe(canonical(hundredths(a + b)));
        expect(subtractDecimals(left, right)).toBe(canonical(hundredths(a - b)));
        expect(Math.sign(compareDecimals(left, right))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test.each([
    ["0.1", "0.2", "0.3"],
    ["999999999999999", "1", "1000000000000000"],
    ["-5", "5", "0"],
    ["1e20", "1", "100000000000000000001"],
    ["0.5", "0.50", "1"],
  ])("%s and %s are %s", (left, right, sum) => {
    expect(addDecimals(left, right)).toBe(sum);
  });

  test.each([
    ["007", "7"],
    ["-0", "0"],
    ["1.500", "1.5"],
    ["1.5e3", "1500"],
    [".5", "0.5"],
    ["5.", "5"],
    ["1e-3", "0.001"],
  ])("%s is written %s", (text, written) => {
    expect(canonical(text)).toBe(written);
  });

  test.each(["", ".", "-", "five", "1 2", "0x10", "Infinity", "NaN", "1e", "1e126", "1e-131", "9".repeat(39)])(
    "%j is none, or too long",
    (text) => {
      expect(() => canonical(text)).toThrow(expect.objectContaining({ name: "ValidationException" }));
    },
  );
});
