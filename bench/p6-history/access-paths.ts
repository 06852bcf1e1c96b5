/** Every way in which events are looked up, each as one page of it through the domain's own code. */
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { DEFAULT_POLICY } from "../../shared/agents/policy.ts";
import { textToBase64Url } from "../../shared/base64url.ts";
import { sealCursor } from "../../shared/cursor.ts";
import { listDead } from "../../shared/deliveries/list-dead.ts";
import { explainEvent } from "../../shared/explain.ts";
import { listEvents, showEvent } from "../../shared/history.ts";
import { timeKey } from "../../shared/keys.ts";
import { streamEvents } from "../../shared/live-stream.ts";
import { StreamPlace } from "../../shared/stream-place.ts";
import type { History } from "./bus.ts";
import { conversationAt, idAt, NOW_MS, RARE_TYPE, timestampAt } from "./events.ts";
import { OWNER, QUEUE_SUBSCRIPTION } from "./items.ts";

export interface AccessPath {
  readonly name: string;
  /**
   * Reads one page. @param turn counts on, so that not always the same is read where that makes a difference
   * @returns how much it showed
   */
  read(bus: History, turn: number): Promise<number>;
}

const READER = openAgent("reader");
/** It sees its own events, and one type of the others'. */
const NARROW_READER: Agent = {
  id: "agent-1",
  policy: { ...DEFAULT_POLICY, read: ["MESSAGE_RECEIVED"], conversations: "any" },
};
/** It sees what was said in conversations that it began. */
const OWN_CONVERSATIONS: Agent = { id: "agent-1", policy: DEFAULT_POLICY };

type Query = Readonly<Record<string, string>>;

const page = (name: string, query: Query, agent: Agent = READER): AccessPath => ({
  name,
  read: async ({ deps }) => (await listEvents(deps, query, agent)).events.length,
});

/** A page that begins far from both ends of all events, by the cursor that the page before it gave. */
const deepPage = (name: string, query: Query, agent: Agent = READER): AccessPath => ({
  name,
  async read({ deps, count }, turn) {
    const { order = "desc", limit: _, ...selection } = query;
    const scope = { caller: agent.id, query: { ...selection, from: null, to: null, order } };
    const age = Math.floor(count / 5) + 7 * (turn % 10);
    const cursor = await sealCursor(deps, scope, textToBase64Url(timeKey(timestampAt(age), idAt(age))));
    return (await listEvents(deps, { ...query, cursor }, agent)).events.length;
  },
});

/** A time in the middle that is long enough for a page. */
const stretch = (name: string, query: Query): AccessPath => ({
  name,
  async read({ deps, count }) {
    const middle = Math.floor(count / 2);
    const window = { from: timestampAt(middle + 400), to: timestampAt(middle) };
    return (await listEvents(deps, { ...query, ...window }, READER)).events.length;
  },
});

/** One of 25 events: of the small table just so many that ten are behind any place. */
const BOTH = { type: "MESSAGE_RECEIVED", agent_type: "planner" };
const TEN = { limit: "10" };

/** The conversation of two hundred events. */
const LONG = { correlation_id: conversationAt(600) };

export const ACCESS_PATHS: readonly AccessPath[] = [
  page("all, newest first", {}),
  page("all, oldest first", { order: "asc" }),
  deepPage("all, from a cursor deep inside", {}),
  deepPage("all, from a cursor deep inside, oldest first", { order: "asc" }),
  stretch("all, from and to", {}),
  page("all, a page of 500", { limit: "500" }),
  page("by type", { type: "MESSAGE_RECEIVED" }),
  page("by type, oldest first", { type: "MESSAGE_RECEIVED", order: "asc" }),
  deepPage("by type, from a cursor deep inside", { type: "MESSAGE_RECEIVED" }),
  stretch("by type, from and to", { type: "MESSAGE_RECEIVED" }),
  page("by a rare type", { type: RARE_TYPE }),
  page("by agent", { agent_type: "planner" }),
  deepPage("by agent, from a cursor deep inside", { agent_type: "planner" }),
  page("by type and agent, ten a page", { ...BOTH, ...TEN }),
  deepPage("by type and agent, from a cursor deep inside, ten a page", { ...BOTH, ...TEN }),
  page("by a rare type and agent, ten a page", { ...BOTH, type: RARE_TYPE, ...TEN }),
  page("by conversation", LONG),
  page("by conversation and type, ten a page", { ...LONG, type: "MESSAGE_RECEIVED", ...TEN }),
  page("by conversation, agent and type, ten a page", { ...LONG, ...BOTH, ...TEN }),
  page("all that a narrow reader may see", {}, NARROW_READER),
  deepPage("all that a narrow reader may see, deep inside", {}, NARROW_READER),
  page("all of the reader's own conversations", {}, OWN_CONVERSATIONS),
  {
    name: "one event with its responses",
    async read({ deps, count }, turn) {
      const shown = await showEvent(deps, idAt(questionOf(count, turn)), READER);
      return 1 + shown.responses.length;
    },
  },
  {
    name: "one event explained",
    read: async ({ deps, count }, turn) =>
      1 + (await explainEvent(deps, idAt(questionOf(count, turn)), READER)).responses.length,
  },
  { name: "a live stream's look at 100 new events", read: lookOfStream },
  {
    name: "work that is due",
    async read({ deps }) {
      await deps.store.findDueWork("publish", new Date(NOW_MS).toISOString(), 100);
      return 1;
    },
  },
  {
    name: "dead deliveries",
    read: async ({ deps }) => (await listDead(deps, {}, { ...openAgent(OWNER) })).deliveries.length,
  },
  {
    name: "messages of a queue",
    read: async ({ deps }) =>
      (await deps.store.findMessages(QUEUE_SUBSCRIPTION, new Date(NOW_MS).toISOString(), 20)).length,
  },
];

/** One that was answered, somewhere among all. */
const questionOf = (count: number, turn: number): number => 20 * (Math.floor(count / 40) - (turn % 10)) + 3;

/** One look, from a place a hundred events back. */
async function lookOfStream({ deps }: History): Promise<number> {
  const gone = new AbortController();
  let shown = 0;
  const steps = streamEvents(
    // The first pause is the end of the first look.
    { ...deps, pause: async () => gone.abort() },
    {
      agent: READER,
      selection: {},
      place: StreamPlace.at(Date.parse(timestampAt(100))).toText(),
      holdMs: 60_000,
      signal: gone.signal,
    },
  );
  for await (const step of steps) if (step.kind === "event") shown++;
  return shown;
}
