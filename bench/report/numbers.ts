/** Numbers as people read them. */

/** Three digits that count, and no more zeros than that takes: `0.0123`, `1.05`, `349,000`. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** With its unit; ratios as `0.85 x`. */
export const withUnit = (value: number, unit: string): string => `${readable(value)} ${unit}`;
