/** What each function may do with the table, and with which items: nothing more than its operations need. */
import { Stack } from "aws-cdk-lib";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { type HistoryIndex, keys, listenerPk, subscribersPk, type TABLE } from "../shared/keys.ts";
import { API_FUNCTIONS, type ApiFunction } from "../shared/routes.ts";
import type { TableReference } from "./event-table.ts";

/** Partition keys, as the pattern that a policy's condition takes. */
const ITEMS = {
  events: keys.event("*").pk,
  budgets: keys.conversationBudget("*").pk,
  listeners: listenerPk("*"),
  settings: keys.cursorKey().pk,
  subscriptions: keys.subscription("*", "").pk,
  subscribers: subscribersPk("*"),
  agents: keys.agent("*").pk,
  buckets: keys.bucket("*").pk,
  answerTimes: keys.answerTimes("*").pk,
} as const;

type ItemKind = keyof typeof ITEMS;
type ItemAction = "GetItem" | "BatchGetItem" | "Query" | "PutItem" | "UpdateItem" | "DeleteItem";

interface TableAccess {
  readonly items: readonly { readonly actions: readonly ItemAction[]; readonly of: readonly ItemKind[] }[];
  readonly queries: readonly (HistoryIndex | "work")[];
}

const HISTORY_INDEXES = [
  "by_type",
  "by_agent",
  "by_conversation",
  "by_time",
] as const satisfies readonly HistoryIndex[];

/** Those that work on what the API functions began. */
type WorkerFunction = "dispatch" | "deliver-webhook" | "dead-letters" | "reconcile";

/** A function without an entry does not compile. */
const TABLE_ACCESS: Readonly<Record<ApiFunction | WorkerFunction, TableAccess>> = {
  emit: {
    items: [
      // To whom the event was delivered that led to this one.
      { actions: ["GetItem", "PutItem", "UpdateItem", "Query"], of: ["events"] },
      { actions: ["GetItem", "UpdateItem"], of: ["budgets"] },
    ],
    queries: [],
  },
  request: {
    items: [
      // Waits of one process read their records together.
      { actions: ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "Query"], of: ["events"] },
      { actions: ["GetItem", "UpdateItem", "PutItem"], of: ["answerTimes"] },
      { actions: ["GetItem", "UpdateItem"], of: ["budgets"] },
      { actions: ["Query"], of: ["listeners"] },
      { actions: ["GetItem", "Query"], of: ["subscribers"] },
    ],
    // How many waits of an agent are open.
    queries: ["by_agent"],
  },
  respond: {
    items: [
      { actions: ["GetItem", "PutItem", "UpdateItem", "Query"], of: ["events"] },
      // Whether who answers is the subscriber that he says he is.
      { actions: ["Query"], of: ["listeners"] },
      { actions: ["GetItem", "Query"], of: ["subscribers"] },
    ],
    queries: [],
  },
  history: {
    items: [
      { actions: ["GetItem", "BatchGetItem", "Query"], of: ["events"] },
      { actions: ["GetItem", "Query"], of: ["subscribers"] },
      { actions: ["GetItem", "PutItem"], of: ["settings"] },
    ],
    queries: HISTORY_INDEXES,
  },
  stream: {
    items: [
      { actions: ["GetItem", "BatchGetItem"], of: ["events"] },
      { actions: ["PutItem", "DeleteItem"], of: ["listeners"] },
      { actions: ["GetItem", "PutItem"], of: ["settings"] },
    ],
    queries: HISTORY_INDEXES,
  },
  subscriptions: {
    items: [
      { actions: ["GetItem", "Query", "PutItem"], of: ["subscriptions"] },
      { actions: ["Query", "PutItem", "UpdateItem"], of: ["subscribers"] },
      // Deliveries, of a subscription that ends.
      { actions: ["GetItem", "PutItem"], of: ["events"] },
      { actions: ["GetItem", "PutItem"], of: ["settings"] },
    ],
    // How many subscriptions an agent has.
    queries: ["work", "by_agent"],
  },
  queue: {
    items: [
      { actions: ["GetItem", "BatchGetItem", "PutItem"], of: ["events"] },
      { actions: ["GetItem"], of: ["subscriptions"] },
      { actions: ["PutItem"], of: ["listeners"] },
    ],
    queries: ["work"],
  },
  deliveries: {
    items: [
      // Those that are told of, listed and sent again, with their events.
      { actions: ["GetItem", "BatchGetItem", "Query", "PutItem"], of: ["events"] },
      { actions: ["GetItem"], of: ["subscriptions"] },
      { actions: ["PutItem"], of: ["listeners"] },
      { actions: ["GetItem", "PutItem"], of: ["settings"] },
    ],
    queries: ["work"],
  },
  agents: {
    items: [
      { actions: ["GetItem", "BatchGetItem", "PutItem"], of: ["agents"] },
      { actions: ["GetItem", "PutItem"], of: ["settings"] },
      // What a deleted agent had subscribed to ends, and the deliveries of that.
      { actions: ["GetItem", "Query", "PutItem"], of: ["subscriptions"] },
      { actions: ["PutItem", "UpdateItem"], of: ["subscribers"] },
      { actions: ["GetItem", "PutItem"], of: ["events"] },
    ],
    queries: ["work"],
  },
  dispatch: {
    items: [
      { actions: ["GetItem", "Query"], of: ["subscribers"] },
      // What stands already of an event that comes again.
      { actions: ["GetItem", "PutItem", "Query"], of: ["events"] },
    ],
    queries: [],
  },
  "deliver-webhook": {
    items: [
      // The delivery and its event; and, like respond, the answer that an endpoint returned.
      { actions: ["GetItem", "PutItem", "UpdateItem", "Query"], of: ["events"] },
      { actions: ["GetItem", "PutItem"], of: ["subscriptions"] },
      // When an endpoint is gone, its subscription is disabled.
      { actions: ["PutItem", "UpdateItem"], of: ["subscribers"] },
    ],
    queries: [],
  },
  "dead-letters": { items: [{ actions: ["GetItem", "PutItem"], of: ["events"] }], queries: [] },
  reconcile: {
    items: [
      { actions: ["GetItem", "PutItem", "UpdateItem"], of: ["events"] },
      { actions: ["GetItem", "PutItem"], of: ["subscriptions"] },
      { actions: ["PutItem", "UpdateItem"], of: ["subscribers"] },
    ],
    queries: ["work"],
  },
};

/** Whoever serves agents takes their calls from their buckets. */
const BUCKETS: TableAccess["items"] = [{ actions: ["GetItem", "UpdateItem"], of: ["buckets"] }];

/** Whoever takes calls with keys reads whose the key is. */
const AGENTS: TableAccess["items"] = [{ actions: ["GetItem"], of: ["agents"] }];

/**
 * Those that ask what an agent may do who does not call at this moment: also where calls come with signatures alone, for
 * an agent with a key may have subscribed before.
 */
const LOOK_AGENTS_UP: readonly (keyof typeof TABLE_ACCESS)[] = [
  "request",
  "history",
  "queue",
  "dispatch",
  "deliver-webhook",
];

const servesAgents = (name: string): boolean => API_FUNCTIONS.some((one) => one === name);

/** Grants a function's role what `TABLE_ACCESS` says of it. @param takesKeys whether it takes calls with agent keys */
export function grantTableAccess(
  table: TableReference,
  role: IRole,
  name: keyof typeof TABLE_ACCESS,
  takesKeys = false,
): void {
  const access = TABLE_ACCESS[name];
  const items = [
    ...access.items,
    ...(servesAgents(name) ? BUCKETS : []),
    ...(takesKeys || LOOK_AGENTS_UP.includes(name) ? AGENTS : []),
  ];
  for (const { actions, of } of items)
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [table.tableArn],
        conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": of.map((kind) => ITEMS[kind]) } },
      }),
    );
  if (access.queries.length > 0)
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["dynamodb:Query"],
        resources: access.queries.map((index) => indexArn(table, index)),
      }),
    );
}

const indexArn = (table: TableReference, index: keyof typeof TABLE.indexes): string =>
  Stack.of(table).formatArn({
    service: "dynamodb",
    resource: "table",
    resourceName: `${table.tableName}/index/${index}`,
  });
