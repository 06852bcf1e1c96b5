/**
 * What each operation costs its agent, in tokens of its bucket. A token is about what an event costs the bus, some ten
 * small reads and writes: what makes the bus do more costs more, so that nobody spends without bound (I10).
 */
import type { JsonValue } from "../../shared/json.ts";
import {
  DEFAULT_PAGE_SIZE,
  DEFAULT_REDRIVE,
  MAX_BATCH,
  MAX_PAGE_SIZE,
  MAX_RECEIPTS,
  MAX_REDRIVE,
} from "../../shared/limits.ts";
import { tokensBeyondOne } from "../../shared/rate-limit/tokens.ts";
import type { Operation } from "../../shared/routes.ts";

/** What of a call decides what it costs. */
interface CostlyParts {
  readonly query: URLSearchParams;
  /** Null when it cannot be read. */
  readonly body: () => JsonValue;
}

interface Cost {
  /** Taken before anything of the call is looked at. */
  readonly tokens: number;
  /** Taken then. */
  readonly more?: (call: CostlyParts) => number;
}

/** Events, deliveries or subscriptions that are read for a token, a page at a time. */
const READ_PER_TOKEN = DEFAULT_PAGE_SIZE;

const free: Cost = { tokens: 0 };
const one: Cost = { tokens: 1 };

/** A call that may be held reads all the while. */
const held: Cost = { tokens: 1, more: ({ query }) => (Number(query.get("wait")) > 0 ? 1 : 0) };

const page: Cost = {
  tokens: 1,
  more: ({ query }) => Math.ceil(Math.min(Number(query.get("limit")) || 0, MAX_PAGE_SIZE) / READ_PER_TOKEN) - 1,
};

/** By a list in the body. */
const each = (field: string, most: number): Cost => ({
  tokens: 1,
  more: ({ body }) => tokensBeyondOne(Math.min(lengthOf(body(), field), most)),
});

const receipts = each("receipts", MAX_RECEIPTS);

/** An operation without a cost does not compile. */
export const COSTS: Readonly<Record<Operation, Cost>> = {
  // A batch of CloudEvents is a list itself.
  emit: {
    tokens: 1,
    more: ({ body }) => Math.min(Math.max(lengthOf(body(), "events"), lengthOf(body())), MAX_BATCH) - 1,
  },
  request: { tokens: 2 },
  resume: held,
  cancel: one,
  respond: one,
  // Two minutes, and two looks a second.
  stream: { tokens: 10 },
  list: page,
  show: one,
  explain: { tokens: 2 },
  types: free,
  openapi: free,
  asyncapi: free,
  health: free,
  // And a record for each type, of which only what is written shows how many there are (`payFor`).
  subscribe: one,
  subscriptions: page,
  subscription: one,
  change: one,
  // The same; whoever has had enough is not kept from ending it.
  unsubscribe: { tokens: 5 },
  rotate: one,
  messages: held,
  ack: receipts,
  nack: receipts,
  extend: receipts,
  dead: page,
  // Each is delivered once more, and others may have to be looked at for it.
  redrive: { tokens: 1, more: ({ body }) => redriven(body()) - 1 },
  registerAgent: one,
  agents: page,
  agent: one,
  changeAgent: one,
  deleteAgent: one,
  rotateKey: one,
  revokeKey: one,
};

/** How long a list is: the body itself, or a field of it; 0 when there is none. */
function lengthOf(body: JsonValue, field?: string): number {
  const list = field === undefined ? body : fieldOf(body, field);
  return Array.isArray(list) ? list.length : 0;
}

/** How many a redrive sends again at most; what is no number is the operation's to refuse. */
function redriven(body: JsonValue): number {
  const limit = fieldOf(body, "limit");
  return typeof limit === "number" && limit > 0 ? Math.min(limit, MAX_REDRIVE) : DEFAULT_REDRIVE;
}

function fieldOf(body: JsonValue, field: string): JsonValue | undefined {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  return isObject && Object.hasOwn(body, field) ? (body as { [field: string]: JsonValue })[field] : undefined;
}
