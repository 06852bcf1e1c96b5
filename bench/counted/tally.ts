/** What was asked of AWS: calls by operation, and what DynamoDB bills for them. */
import { PLACES, type WriteUnits } from "./units.ts";

/** `dynamodb PutItem`, `eventbridge PutEvents`, `sqs SendMessageBatch`. */
export type Operation = string;

export interface Counts {
  readonly calls: Readonly<Record<Operation, number>>;
  readonly writeUnits: WriteUnits;
  readonly readUnits: number;
  /** Entries of PutEvents, and messages of SendMessageBatch. */
  readonly entries: Readonly<Record<Operation, number>>;
}

export const NO_COUNTS: Counts = { calls: {}, writeUnits: {}, readUnits: 0, entries: {} };

/** Several together. */
export function sumOf(parts: readonly Counts[]): Counts {
  return {
    calls: added(parts.map(({ calls }) => calls)),
    writeUnits: added(parts.map((part) => part.writeUnits)),
    readUnits: parts.reduce((sum, part) => sum + part.readUnits, 0),
    entries: added(parts.map(({ entries }) => entries)),
  };
}

/** One so often; also a part of one. */
export function times(factor: number, { calls, writeUnits, readUnits, entries }: Counts): Counts {
  return {
    calls: scaled(calls, factor),
    writeUnits: scaled(writeUnits, factor),
    readUnits: readUnits * factor,
    entries: scaled(entries, factor),
  };
}

export const callsOf = ({ calls }: Counts): number => Object.values(calls).reduce((sum, count) => sum + count, 0);

/** In the table and all its indexes. */
export const writeUnitsOf = ({ writeUnits }: Counts): number =>
  PLACES.reduce((sum, place) => sum + (writeUnits[place] ?? 0), 0);

type Numbers<Name extends string> = Readonly<Partial<Record<Name, number>>>;

function added<Name extends string>(parts: readonly Numbers<Name>[]): Record<Name, number> {
  const sum = {} as Record<Name, number>;
  for (const part of parts)
    for (const [name, count] of Object.entries(part) as [Name, number][]) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function scaled<Name extends string>(numbers: Numbers<Name>, factor: number): Record<Name, number> {
  const entries = Object.entries(numbers) as [Name, number][];
  return Object.fromEntries(entries.map(([name, count]) => [name, count * factor])) as Record<Name, number>;
}

/** Collects what is asked. */
export interface Tally {
  note(counts: Partial<Counts>): void;
  /** All since the last time. */
  take(): Counts;
}

export function createTally(): Tally {
  let noted: Counts[] = [];
  return {
    note(counts) {
      noted.push({ ...NO_COUNTS, ...counts });
    },
    take() {
      const all = sumOf(noted);
      noted = [];
      return all;
    },
  };
}
