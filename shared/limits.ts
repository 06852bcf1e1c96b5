/** Sizes and times, with their units and the reason for each number. */

/** An event with its envelope, in UTF-8. Leaves room below EventBridge's 256 KB entry for the bus's own fields. */
export const MAX_EVENT_BYTES = 192 * 1024;

/** A whole request body: what a synchronous Lambda invocation carries (6 MB), less its wrapping. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** Nesting of JSON. Deeper data is a mistake or an attack; 32 is also what DynamoDB would take. */
export const MAX_JSON_DEPTH = 32;

/** Above this, `data` has an item of its own, so that marking the event as published stays a cheap write (1 unit per KB). */
export const MAX_INLINE_DATA_BYTES = 4 * 1024;

/** Entries of one batch emit. */
export const MAX_BATCH = 100;

export const MAX_IDEMPOTENCY_KEY_CHARS = 255;

/** Names that callers choose: agent types, conversation ids, response ids. In UTF-8, with its prefix, it fits a sort key (1,024 bytes). */
export const MAX_NAME_CHARS = 200;

/** How far a chain of causes may go before it is taken for a loop. */
export const MAX_HOPS = 16;

/** `timeout` of a request, in seconds. */
export const MIN_TIMEOUT_SECONDS = 0.05;
export const MAX_TIMEOUT_SECONDS = 86_400;

/** Answers that one request may count: their ids and names stand in its item, which has to stay far below 400 KB. */
export const MAX_COUNTED_ANSWERS = 100;

/** A nested wait ends this much before its parent's deadline, so that the parent can still answer. */
export const NESTED_DEADLINE_MARGIN_MS = 250;

/** A held call is answered at least 2 s before the function's own time is up: it ends a little earlier, to be answered by then. */
export const FUNCTION_TIME_MARGIN_MS = 2_250;

/** kappa of the wait's cost model: how much delay one read of the record is worth. */
export const WAIT_READ_COST_MS = 5;

/** Answers kept although they no longer count, per event; beyond it 429. A race of 32 must fit with room to spare. */
export const MAX_UNCOUNTED_RESPONSES = 100;

/** Progress reports of one request, and the size of one: who streams a wait reads them all. */
export const MAX_PROGRESS_REPORTS = 200;
export const MAX_PROGRESS_BYTES = 16 * 1024;

/** A page of history. */
export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 1_000;

/** A page that has grown to this ends early, with a cursor: the function has 256 MB, and a page is held several times over. */
export const MAX_PAGE_BYTES = 4_000_000;

/** Partitions that each type, agent and the whole history are spread over: 1,000 writes a second each. */
export const INDEX_SHARDS = 8;

/** Partitions of the sparse work index. Each event enters and leaves it: 16 carry 8,000 events a second. Never lower it. */
export const WORK_SHARDS = 16;

/** A comment keeps an idle stream's connection open through proxies. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** How often a stream looks for new events when nothing wakes it earlier. */
export const STREAM_POLL_MS = 500;

/** For this long after its timestamp an event may still appear in an index (slow write, replication, clock skew). */
export const INDEX_SETTLE_MS = 10_000;

/** Index entries that one page may read while it looks for matches; then it ends early, with a cursor. */
export const MAX_ENTRIES_PER_PAGE = 5_000;

/** A queue gives a message up after so many receives: enough for an outage of minutes, few enough for a poison message. */
export const MAX_RECEIVES = 5;

/** A live stream opened with `as` counts as a subscriber for this long; the server renews it. */
export const LEASE_MS = 30_000;
export const LEASE_RENEW_MS = 10_000;

/** The relay leaves a fresh event to its emitter for this long. */
export const RELAY_AFTER_MS = 10_000;

/** The relay's next try of the same event: with a run each minute, it is published within 90 s of the last fault. */
export const RELAY_RETRY_MS = 25_000;

/** The sweeper ends a request this long after its deadline. */
export const SWEEP_GRACE_MS = 60_000;

/** Event types of one run-time subscription: each costs a write when the subscription changes. */
export const MAX_EVENT_TYPES_PER_SUBSCRIPTION = 100;

/** A subscriber's name: it stands in every request that it is expected to answer. */
export const MAX_SUBSCRIPTION_NAME_CHARS = 100;

/** What was read of an agent that does not call itself is good for this long: so soon a changed policy has its effect on deliveries. */
export const KNOWN_AGENT_MS = 10_000;

/** Events that one page looks at for those that its reader may see; then it ends early, with a cursor. */
export const MAX_LOOKED_AT = 500;

/** Subscribers that one request can be waiting for: their names stand in its item. */
export const MAX_EXPECTED = 1_000;

/** Keys of one agent that are valid at once: what runs with it may be brought to a new one in steps. */
export const MAX_AGENT_KEYS = 4;

/** For how long the older keys stay valid when a new one is made, in seconds: a day unless told; a week at most. */
export const DEFAULT_KEY_OVERLAP_SECONDS = 86_400;
export const MAX_KEY_OVERLAP_SECONDS = 604_800;

/** Event types that a policy may name for one right: its agent's record is read at every call. */
export const MAX_TYPE_NAMES = 100;

/** A poll of a queue: how long it may be held, and how much it may take. As in SQS. */
export const MAX_POLL_SECONDS = 20;
export const MAX_MESSAGES = 10;

/** How long a message that was taken is hidden, in seconds. As in SQS. */
export const DEFAULT_VISIBILITY_SECONDS = 30;
export const MAX_VISIBILITY_SECONDS = 43_200;

/** Receives of a message of a pull queue that its subscription may ask for. */
export const MAX_QUEUE_ATTEMPTS = 100;

/** Receipts that one call may name. */
export const MAX_RECEIPTS = 100;

/** Why a message was given back, in the words of who did. */
export const MAX_REASON_CHARS = 500;

/** A message that nobody took for so long is dead: the longest that SQS keeps one. */
export const MESSAGE_RETENTION_MS = 14 * 86_400_000;

/** How often a queue is looked through for such messages. */
export const QUEUE_INSPECTION_MS = 86_400_000;

/** What is remembered of a delivery's attempts: the last so many. */
export const MAX_LOGGED_ATTEMPTS = 20;

/** The waits between a webhook's attempts, in milliseconds: what Standard Webhooks suggests. */
export const WEBHOOK_RETRIES_MS: readonly number[] = [
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  10 * 3_600_000,
];

/** The longest that `Retry-After` may ask for; SQS can hide a message for 12 h in all. */
export const MAX_RETRY_AFTER_MS = 10 * 3_600_000;

/**
 * A webhook whose next attempt is further away waits in the table alone, and the reconciler sends for it: SQS hides
 * 120,000 messages of a queue at most, and one endpoint that is down must not use them up.
 */
export const LONGEST_HIDDEN_MS = 15 * 60_000;

/** An attempt of a webhook has 15 s; whoever takes one on has it to himself for this long. */
export const WEBHOOK_LEASE_MS = 30_000;

/** An endpoint that has failed for this long without a success is disabled. */
export const WEBHOOK_FAILING_MS = 5 * 86_400_000;

/** For so long a replaced secret still signs. */
export const SECRET_OVERLAP_MS = 24 * 3_600_000;

/** Secrets that sign at once: the newest, and those replaced within the overlap. */
export const MAX_SECRETS = 4;

/** A delivery that should have been tried so long ago has been forgotten, and is sent for again. */
export const DELIVERY_OVERDUE_MS = 5 * 60_000;

/** For so long after its end a queue is looked through for messages that were still on their way to it. */
export const LAST_LOOK_MS = 3_600_000;

/** Writes of one fan-out under way at once. */
export const FAN_OUT_LANES = 32;

/**
 * Deliveries of one event that begin in a second: all stand in the event's own partition, which takes 1,000 writes a second,
 * and some of them are being taken or called already.
 */
export const DELIVERIES_PER_SECOND = 800;

/** Deliveries that one redrive sends again. */
export const DEFAULT_REDRIVE = 100;
export const MAX_REDRIVE = 1_000;

/** A subscription that was just changed is left to whoever changes it for this long. */
export const TEND_AFTER_MS = 10_000;

/**
 * The highest rate that can be kept for one agent: its bucket is one item, which takes 1,000 writes a second, and each
 * pays for `RATE_CREDIT` calls.
 */
export const MAX_CALLS_PER_SECOND = 20_000;

/** Calls that an instance serves before it pays for them: one write for so many, and so many that an instance may be behind. */
export const RATE_CREDIT = 20;

/** For so long a bucket that was found empty, or that could not be reached, is not asked again. */
export const RATE_RETRY_MS = 200;

/** The highest cap on what is counted by looking: an index entry has some 150 bytes, and a look reads 1 MB. */
export const MAX_COUNTED = 50_000;

/** Nobody who is turned away because of what he has open is told to wait longer: it may end at any moment. */
export const LONGEST_TOLD_WAIT_MS = 60_000;

/** An entry of a subscription that has ended, or does not want a type any more, stays for so long. */
export const REMOVED_ENTRY_MS = 86_400_000;

/** How many calls an agent may make; a call may count for several (`functions/runtime/call-cost.ts`). */
export interface Rate {
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** What a deployment may set in `bus.config.ts`. */
export interface Limits {
  /** One call is held for at most this long; then 202 with `resume`. Seconds. */
  readonly holdSeconds: number;
  /** How long events, requests and responses are kept. Never below 15 days: dedupe must outlive every redelivery. */
  readonly retentionDays: number;
  /** Events of one conversation before it is taken for a loop. */
  readonly eventsPerConversation: number;
  /** How many calls an agent may make. */
  readonly ratePerAgent: Rate;
  /** Requests of one agent that nobody has ended yet, whether anybody waits for them or not. */
  readonly openWaitsPerAgent: number;
  readonly subscriptionsPerAgent: number;
  /** Run-time subscriptions that one event can be dispatched to. */
  readonly subscriptionsPerType: number;
}

export const DEFAULT_LIMITS: Limits = {
  holdSeconds: 55,
  retentionDays: 90,
  eventsPerConversation: 10_000,
  ratePerAgent: { perSecond: 500, burst: 5_000 },
  openWaitsPerAgent: 2_000,
  subscriptionsPerAgent: 2_000,
  subscriptionsPerType: 5_000,
};
export const MIN_RETENTION_DAYS = 15;
