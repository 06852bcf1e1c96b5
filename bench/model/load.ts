/** What a bus has to carry. */
import type { RegionName } from "./prices-and-quotas.ts";

export interface Load {
  /** Emitted and asked together. */
  readonly eventsPerSecond: number;
  /** Of an event's `data`, and of an answer's. */
  readonly dataBytes: number;
  /** Events of one call: 1, or a batch. Requests are always asked one by one. */
  readonly eventsPerCall: number;
  /** The share of events of the most frequent type. */
  readonly busiestType: number;
  /** The share of events of the agent that sends most. */
  readonly busiestAgent: number;
  /** Events a second of the busiest conversation. */
  readonly conversationEventsPerSecond: number;
  /** The share of events that join a conversation; the others begin their own. */
  readonly joining: number;
  /** Subscribers of an event that are deployed with the bus. */
  readonly deployed: number;
  /** Subscribers of an event that poll queues, and those behind webhooks. */
  readonly queues: number;
  readonly webhooks: number;
  /** Messages that a poll gives. */
  readonly messagesPerPoll: number;
  /** The share of events that are asked. Each gets one answer, if it comes in time. */
  readonly asked: number;
  /** Half of the answers are there after so long. */
  readonly answerSeconds: number;
  /** Five sixths are there after so many times that long, and one sixth after that part of it. */
  readonly answerSpread: number;
  /** Answers of the same type that the bus has seen before, from which it knows when to look; none: it knows nothing. */
  readonly knownAnswers: number;
  readonly timeoutSeconds: number;
  /** Pages of history read for each event that is emitted, and events of a page. */
  readonly pagesPerEvent: number;
  readonly pageSize: number;
  readonly region: RegionName;
  readonly memoryMb: number;
  /** Of the function that waits. */
  readonly waitMemoryMb: number;
  readonly retentionDays: number;
}

/** A small team: some agents that ask each other some questions a second. */
export const SMALL_TEAM: Load = {
  eventsPerSecond: 10,
  dataBytes: 500,
  eventsPerCall: 1,
  busiestType: 0.3,
  busiestAgent: 0.2,
  conversationEventsPerSecond: 1,
  joining: 0.8,
  deployed: 2,
  queues: 1,
  webhooks: 0.5,
  messagesPerPoll: 5,
  asked: 0.2,
  answerSeconds: 2,
  answerSpread: 3,
  knownAnswers: 200,
  timeoutSeconds: 30,
  pagesPerEvent: 0.05,
  pageSize: 50,
  region: "us-east-1",
  memoryMb: 256,
  waitMemoryMb: 128,
  retentionDays: 90,
};
