/** Rows as text. */

/** Columns side by side; empty ones are left out. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = columns.map((column, i) => column !== "" || rows.some((row) => row[i] !== ""));
  const kept = [columns, ...rows].map((row) => row.filter((_, i) => used[i]));
  const widths = (kept[0] ?? []).map((_, i) => Math.max(...kept.map((row) => row[i]?.length ?? 0)));
  return kept
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
