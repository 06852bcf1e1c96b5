/**
 * Undelivered work, kept in an append-only file so that it survives a crash.
 *
 * One JSON object a line: `put` (a delivery was accepted), `received` (a handler is about to get it; how often by now),
 * `done`, `dead` (with its reason). Opening the file replays and compacts it. Appends are synchronous: a line that was
 * written is in the operating system's hands when the call returns, so a kill of this process cannot lose it, and lines
 * never mix.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { DeliveredEvent } from "../shared/event.ts";

/** One event on its way to one subscriber. */
export interface Delivery {
  /** `<subscriber>/<event id>`. */
  readonly key: string;
  readonly subscriber: string;
  readonly event: DeliveredEvent;
  /** How often a handler got it. Counted before the call, so that a handler that kills the process counts, too. */
  receives: number;
}

/** A delivery that was given up, kept for whoever wants to know or send it again. */
export interface DeadDelivery extends Delivery {
  readonly reason: string;
  /** ISO 8601. */
  readonly diedAt: string;
}

type Line =
  | { op: "put"; key: string; subscriber: string; event: DeliveredEvent; receives?: number }
  | { op: "received"; key: string; receives: number }
  | { op: "done"; key: string }
  | { op: "dead"; key: string; reason: string; at: string };

/** Ended deliveries that are remembered, so that an event published twice is delivered once. */
const REMEMBERED_DONE = 50_000;
/** The dead that are kept; the oldest go first. */
const KEPT_DEAD = 1_000;
/** The file is compacted once it is over this size and more than half of it is history. */
const COMPACT_OVER_BYTES = 32 * 1024 * 1024;

export interface Journal {
  /** Records deliveries, all in one write. Those already under way or done are left out of the result. @throws when it cannot be written */
  put(deliveries: readonly { subscriber: string; event: DeliveredEvent }[]): Delivery[];
  /** Records a delivery that has ended before, to be made once more. @throws when it cannot be written */
  again(delivery: { subscriber: string; event: DeliveredEvent }): Delivery;
  /** Counts a receive of each, all in one write. */
  received(deliveries: readonly Delivery[]): void;
  /** Takes a receive back: the call was broken off for no fault of the handler. */
  notReceived(deliveries: readonly Delivery[]): void;
  done(delivery: Delivery): void;
  dead(delivery: Delivery, reason: string): void;
  /** What has neither ended well nor been given up, oldest first. */
  pending(): Delivery[];
  deadOnes(): DeadDelivery[];
  close(): void;
}

/** Opens or creates a journal. Lines that cannot be read (a torn last one) are left out and counted in `onSkipped`. */
export function openJournal(path: string, onSkipped: (lines: number) => void = () => {}): Journal {
  const pending = new Map<string, Delivery>();
  const dead = new Map<string, DeadDelivery>();
  const done = new Set<string>();
  const skipped = replay(path, { pending, dead, done });
  if (skipped > 0) onSkipped(skipped);
  writeCompacted();
  let file = openSync(path, "a");
  let bytes = statSync(path).size;
  let bytesWhenCompacted = bytes;
  let torn = false;

  /** @param change what the lines say, done to the maps once they are written: a compaction writes the maps */
  function append(lines: readonly Line[], change: () => void = () => {}): void {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    try {
      // After a failed write half a line may stand there: it must not swallow this one.
      appendFileSync(file, torn ? `\n${text}` : text);
      torn = false;
    } catch (error) {
      torn = true;
      throw error;
    }
    change();
    bytes += Buffer.byteLength(text);
    if (bytes > COMPACT_OVER_BYTES && bytes > 2 * bytesWhenCompacted) compact();
  }

  function compact(): void {
    writeCompacted();
    closeSync(file);
    file = openSync(path, "a");
    bytes = statSync(path).size;
    bytesWhenCompacted = bytes;
  }

  function writeCompacted(): void {
    const lines: Line[] = [
      ...[...done].map((key): Line => ({ op: "done", key })),
      ...[...dead.values()].flatMap(({ key, subscriber, event, receives, reason, diedAt }): Line[] => [
        { op: "put", key, subscriber, event, receives },
        { op: "dead", key, reason, at: diedAt },
      ]),
      ...[...pending.values()].map(
        ({ key, subscriber, event, receives }): Line => ({ op: "put", key, subscriber, event, receives }),
      ),
    ];
    writeFileSync(`${path}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    renameSync(`${path}.new`, path);
  }

  function count(deliveries: readonly Delivery[], change: 1 | -1): void {
    for (const delivery of deliveries) delivery.receives += change;
    append(deliveries.map(({ key, receives }) => ({ op: "received", key, receives })));
  }

  return {
    put(deliveries) {
      const fresh = deliveries
        .map(({ subscriber, event }): Delivery => ({ key: keyOf(subscriber, event), subscriber, event, receives: 0 }))
        .filter(({ key }) => !pending.has(key) && !done.has(key) && !dead.has(key));
      const lines = fresh.map(({ key, subscriber, event }): Line => ({ op: "put", key, subscriber, event }));
      append(lines, () => {
        for (const delivery of fresh) pending.set(delivery.key, delivery);
      });
      return fresh;
    },
    again({ subscriber, event }) {
      const delivery: Delivery = { key: keyOf(subscriber, event), subscriber, event, receives: 0 };
      append([{ op: "put", key: delivery.key, subscriber, event }], () => {
        done.delete(delivery.key);
        dead.delete(delivery.key);
        pending.set(delivery.key, delivery);
      });
      return delivery;
    },
    received: (deliveries) => count(deliveries, 1),
    notReceived: (deliveries) => count(deliveries, -1),
    done(delivery) {
      pending.delete(delivery.key);
      remember(done, delivery.key);
      append([{ op: "done", key: delivery.key }]);
    },
    dead(delivery, reason) {
      const diedAt = new Date().toISOString();
      pending.delete(delivery.key);
      bury(dead, { ...delivery, reason, diedAt });
      append([{ op: "dead", key: delivery.key, reason, at: diedAt }]);
    },
    pending: () => [...pending.values()],
    deadOnes: () => [...dead.values()],
    close: () => closeSync(file),
  };
}

interface Replayed {
  readonly pending: Map<string, Delivery>;
  readonly dead: Map<string, DeadDelivery>;
  readonly done: Set<string>;
}

/** Reads the file into memory. @returns how many lines made no sense */
function replay(path: string, { pending, dead, done }: Replayed): number {
  if (!existsSync(path)) return 0;
  let skipped = 0;
  for (const text of readFileSync(path, "utf8").split("\n")) {
    if (text === "") continue;
    const line = parseLine(text);
    if (line === null) {
      skipped++;
      continue;
    }
    if (line.op === "put") {
      const { key, subscriber, event, receives = 0 } = line;
      done.delete(key);
      dead.delete(key);
      pending.set(key, { key, subscriber, event, receives });
      continue;
    }
    const delivery = pending.get(line.key);
    if (line.op === "done") {
      pending.delete(line.key);
      remember(done, line.key);
    } else if (delivery !== undefined && line.op === "received") delivery.receives = line.receives;
    else if (delivery !== undefined && line.op === "dead") {
      pending.delete(line.key);
      bury(dead, { ...delivery, reason: line.reason, diedAt: line.at });
    }
  }
  return skipped;
}

const keyOf = (subscriber: string, event: DeliveredEvent): string => `${subscriber}/${event.id}`;

function parseLine(text: string): Line | null {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === "object" && line !== null && "op" in line && "key" in line ? (line as Line) : null;
  } catch {
    return null;
  }
}

function remember(done: Set<string>, key: string): void {
  done.add(key);
  if (done.size > REMEMBERED_DONE) done.delete(done.values().next().value as string);
}

function bury(dead: Map<string, DeadDelivery>, delivery: DeadDelivery): void {
  dead.set(delivery.key, delivery);
  if (dead.size > KEPT_DEAD) dead.delete(dead.keys().next().value as string);
}
