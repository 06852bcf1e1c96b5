/**
 * What stands in a table of so many events. Nothing of it is random: the same event of the same age is the same in every
 * table, so that pages can be compared, and a table that was made once can be used again.
 */
import { createHash } from "node:crypto";
import type { EventRecord } from "../../shared/records.ts";
import { isoAt } from "../../shared/time.ts";

/** When the newest event happened; the clock of those who look back stands a minute later. */
const NEWEST_MS = Date.parse("2026-06-01T12:00:00.000Z");
export const NOW_MS = NEWEST_MS + 60_000;
/** Between one event and the next: a million take 28 hours. */
const GAP_MS = 100;
/** Epoch seconds; nothing expires while it is measured. */
export const EXPIRES_AT = Date.parse("2100-01-01T00:00:00.000Z") / 1_000;

const TYPES = [
  "MESSAGE_RECEIVED",
  "MESSAGE_PROCESSED",
  "SESSION_UPDATED",
  "LANGUAGE_NORMALIZED",
  "TRANSCRIPTION_COMPLETED",
] as const;
/** Of this one some eighty stand in every table, evenly spread in time: less than one of 10,000 among a million. */
export const RARE_TYPE = "UPGRADE_REQUESTED";
const RARE_PLACES = 100;
const AGENT_TYPES = ["planner", "router", "researcher", "writer", "reviewer"] as const;
const AGENTS = 8;

/** Most conversations are short; of each thousand events two hundred are one that is long. */
const SHORT_CONVERSATION = 10;
const LONG_CONVERSATION = { from: 500, to: 700 };

const WORDS = "the order was placed and paid for but nobody has seen a parcel since it left our house on monday".split(
  " ",
);

export const timestampAt = (age: number): string => isoAt(NEWEST_MS - age * GAP_MS);

/** A UUIDv7 of the time at which the event happened. */
export function idAt(age: number): string {
  const time = (NEWEST_MS - age * GAP_MS).toString(16).padStart(12, "0");
  const random = digestOf(`id ${age}`).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** The conversation of an event: the id of its first event. */
export const conversationAt = (age: number): string => idAt(firstOfConversation(age));

function firstOfConversation(age: number): number {
  const thousand = age - (age % 1_000);
  const inThousand = age % 1_000;
  const { from, to } = LONG_CONVERSATION;
  if (inThousand >= from && inThousand < to) return thousand + to - 1;
  return age - (age % SHORT_CONVERSATION) + SHORT_CONVERSATION - 1;
}

/** @param age 0 is the newest */
export function eventAt(age: number, count: number): EventRecord {
  const digest = digestOf(`event ${age}`);
  const isFirst = firstOfConversation(age) === age;
  const id = idAt(age);
  return {
    event: {
      id,
      type: typeOf(digest, age, count),
      data: { text: textOf(digest), step: age % 1_000 },
      agent_type: pick(AGENT_TYPES, digest, 1),
      timestamp: timestampAt(age),
      correlation_id: conversationAt(age),
      ...(isFirst ? {} : { causation_id: idAt(firstOfConversation(age)) }),
      hops: isFirst ? 0 : 1,
      source: `agent-${(digest[2] as number) % AGENTS}`,
    },
    kind: isQuestion(age) ? "request" : "event",
    payloadHash: digest.toString("hex"),
    replyToken: digest.subarray(0, 16).toString("base64url"),
    commitId: digest.subarray(16).toString("base64url"),
    published: true,
    relayAttempts: 0,
    expiresAt: EXPIRES_AT,
  };
}

function typeOf(digest: Buffer, age: number, count: number): string {
  const type = pick(TYPES, digest, 0);
  const rareEvery = count / RARE_PLACES;
  // In place of some of the others, never of the first: its pages are to be the same in all tables.
  return age % rareEvery === Math.floor(rareEvery / 2) && type !== TYPES[0] ? RARE_TYPE : type;
}

/** One of twenty was asked, and answered. */
export const isQuestion = (age: number): boolean => age % 20 === 3;
/** One of ten could not be delivered to somebody, and one of ten waits in a queue. */
export const isDead = (age: number): boolean => age % 10 === 1;
export const isQueued = (age: number): boolean => age % 10 === 2;

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

const pick = <T>(choices: readonly T[], digest: Buffer, byte: number): T =>
  choices[(digest[byte] as number) % choices.length] as T;

/** Some 150 characters. */
const textOf = (digest: Buffer): string => Array.from(digest, (byte) => WORDS[byte % WORDS.length]).join(" ");
