/** The figures as a table, for a terminal and for a page. */
import type { Goal } from "../contract.ts";
import type { Judged, Verdict } from "./judge.ts";
import { readable, withUnit } from "./numbers.ts";

export const COLUMNS = ["goal", "what", "the bus", "beside it", "comes to", "wanted", ""] as const;

const SAYS: Readonly<Record<Verdict, string>> = {
  further: "reached, and the further goal",
  reached: "reached",
  missed: "MISSED",
};

/** One line, in the order of `COLUMNS`. */
export function rowOf(goal: string, { figure, ours, beside, judged, unit, verdict }: Judged): string[] {
  return [
    goal,
    figure.title,
    withUnit(ours.median, figure.ours.unit),
    beside === undefined || figure.beside === undefined
      ? ""
      : `${withUnit(beside.median, figure.beside.unit)} (${figure.beside.name})`,
    `${withUnit(judged.median, unit)}${spreadOf(judged)}`,
    figure.goal === undefined ? "" : wanted(figure.goal),
    verdict === undefined ? "" : SAYS[verdict],
  ];
}

const spreadOf = ({ low, high, count }: Judged["judged"]): string =>
  count > 1 && low !== high ? ` [${readable(low)}, ${readable(high)}]` : "";

function wanted({ bound, value, further }: Goal): string {
  return `${bound} ${readable(value)}${further === undefined ? "" : `, then ${readable(further)}`}`;
}

/** Columns side by side; the last is not filled up. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = COLUMNS.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join("  ")
      .trimEnd();
  return [line(COLUMNS), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => "---")), ...rows.map(line)].join("\n");
}
