/** A conversation as a table of text: who said what when, who waited how long, and what each answer was worth. */
import type { EventWithResponses } from "../shared/history.ts";
import type { JsonObject, JsonValue } from "../shared/json.ts";

export interface TimelineOptions {
  readonly color: boolean;
  /** Lines are cut to this many characters. */
  readonly width: number;
}

interface Row {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly details: string;
}

/** The lines of the timeline; `events` in any order. */
export function timeline(events: readonly EventWithResponses[], { color, width }: TimelineOptions): string[] {
  const startMs = Math.min(...events.map(({ event }) => Date.parse(event.timestamp)));
  const rows = events.flatMap(rowsOf).sort((a, b) => a.atMs - b.atMs);
  const offsets = rows.map(({ atMs }) => `${atMs - startMs} ms`);
  const columns = [widest(offsets), widest(rows.map(({ who }) => who)), widest(rows.map(({ what }) => what))] as const;
  const paint = (code: number, text: string): string => (color ? `\u001B[${code}m${text}\u001B[0m` : text);

  return rows.map(({ who, what, details }, i) => {
    const offset = (offsets[i] ?? "").padStart(columns[0]);
    const room = width - columns[0] - columns[1] - columns[2] - 8;
    const shown = room > 10 ? cut(details, room) : details;
    return `  ${paint(2, offset)}  ${padded(who, columns[1])}  ${paint(what.startsWith("└") ? 36 : 1, padded(what, columns[2]))}  ${shown}`.trimEnd();
  });
}

function rowsOf({ event, request, responses }: EventWithResponses): Row[] {
  const askedMs = Date.parse(event.timestamp);
  const waits =
    request === null
      ? ""
      : `waits up to ${seconds(Date.parse(request.deadline) - askedMs)} for ${request.expected.join(", ") || "anybody"}: `;
  const asked: Row = {
    atMs: askedMs,
    who: event.agent_type ?? event.source,
    what: event.type,
    details: waits + essentials(event.data),
  };
  const answers = responses.map(({ timestamp, responder, status, verdict, response }): Row => {
    const atMs = Date.parse(timestamp);
    const what = status === "progress" ? "└ progress" : status === "rejected" ? "└ rejection" : "└ response";
    const waited = status === "progress" ? "" : `${verdict ?? "undecided"} after ${atMs - askedMs} ms: `;
    return { atMs, who: responder, what, details: waited + essentials(response) };
  });
  const ended: Row[] =
    request === null || request.status === "answered" || request.ended_at === null
      ? []
      : [
          {
            atMs: Date.parse(request.ended_at),
            who: asked.who,
            what: `└ ${request.status}`,
            details: `the wait for ${event.type} is over`,
          },
        ];
  return [asked, ...answers, ...ended];
}

/** The fields in a line: texts in quotes, lists by what they hold. */
function essentials(data: JsonObject): string {
  return Object.entries(data)
    .map(([name, value]) => `${name} ${brief(value)}`)
    .join(", ");
}

function brief(value: JsonValue | undefined): string {
  if (typeof value === "string") return JSON.stringify(cut(value, 60));
  if (Array.isArray(value))
    return value.every(isPlain) ? `[${value.join(", ")}]` : `${value.length} × {${titles(value)}}`;
  if (typeof value === "object" && value !== null) return `{${essentials(value)}}`;
  return String(value);
}

const isPlain = (value: JsonValue): boolean => typeof value !== "object";

const titles = (values: readonly JsonValue[]): string =>
  values
    .map((value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? brief(value.title ?? value.text ?? "")
        : "",
    )
    .join(", ");

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** What a reader takes for one character may be several code units, or several code points (👩‍🔬). */
const CHARACTERS = new Intl.Segmenter("en", { granularity: "grapheme" });

const widthOf = (text: string): number => [...CHARACTERS.segment(text)].length;

const widest = (texts: readonly string[]): number => Math.max(...texts.map(widthOf));

const padded = (text: string, width: number): string => text + " ".repeat(width - widthOf(text));

/** The text, or as much of it as leaves room for "…" within `max` characters. */
function cut(text: string, max: number): string {
  // Not all of it is looked at: it may be long.
  let width = 0;
  let end = 0;
  for (const { index } of CHARACTERS.segment(text)) {
    if (width === max - 1) end = index;
    if (width === max) return `${text.slice(0, end)}…`;
    width++;
  }
  return text;
}
