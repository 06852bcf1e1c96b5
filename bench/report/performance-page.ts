/** The measured part of `docs/performance.md`, between two marks; what stands around it is written by hand. */
import type { Result } from "./results.ts";
import { markdownTable, rowOf } from "./table.ts";

const BEGIN = "<!-- measured: written by npm run bench -->";
const END = "<!-- end of what was measured -->";

/** @throws Error when the page has not both marks */
export function withMeasured(page: string, results: readonly Result[]): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has no part between "${BEGIN}" and "${END}".`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${measured(results)}\n\n${page.slice(end)}`;
}

function measured(results: readonly Result[]): string {
  const rows = results.flatMap(({ goal, figures }) => figures.map((figure) => rowOf(goal, figure)));
  return [markdownTable(rows), ...results.map(section)].join("\n\n");
}

function section({ goal, title, method, measuredAt, machine, figures, omissions, pictures }: Result): string {
  const notes = figures.flatMap(({ figure }) =>
    figure.note === undefined ? [] : [`- ${figure.title}: ${figure.note}`],
  );
  const omitted = omissions.map(({ what, why }) => `- Not compared: ${what}. ${why}`);
  const images = pictures.map((picture) => `![${picture.title}](performance/${picture.name}.svg)`);
  const where = `Measured ${measuredAt.slice(0, 10)}: Node ${machine.node}, ${machine.platform}, ${machine.cpu}, ${machine.cores} cores.`;
  return [`### ${goal}: ${title}`, method, [...notes, ...omitted].join("\n"), ...images, where]
    .filter((part) => part !== "")
    .join("\n\n");
}
