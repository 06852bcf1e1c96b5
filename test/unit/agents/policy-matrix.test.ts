import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Policy } from "../../../shared/agents/policy.ts";
import { RULES } from "../../../shared/agents/rules.ts";
import { openApiDocument } from "../../../shared/openapi/document.ts";
import type { Operation } from "../../../shared/routes.ts";
import { callInMemory } from "../../support/call-in-memory.ts";
import { conformance } from "../../support/conformance.ts";
import { covers, isListed } from "../../support/policy-oracle.ts";
import {
  type Expected,
  lookingAt,
  PROBES,
  type Probe,
  type ProbeCall,
  withPolicy,
} from "../../support/policy-probes.ts";
import { policyWorld, SUBJECT, TYPES, type World, type WorldEvent } from "../../support/policy-world.ts";

// Thousands of calls a test; nothing here waits for real time.
vi.setConfig({ testTimeout: 120_000 });

const NAME_LISTS: readonly (readonly string[])[] = [[], ["*"]];

/** All there are of: each right for all types and for none, both kinds of conversations, administrators and others. */
const MATRIX: readonly Policy[] = NAME_LISTS.flatMap((emit) =>
  NAME_LISTS.flatMap((subscribe) =>
    NAME_LISTS.flatMap((answer) =>
      NAME_LISTS.flatMap((read) =>
        (["own", "any"] as const).flatMap((conversations) =>
          [false, true].map((administer) => ({ emit, subscribe, answer, read, conversations, administer })),
        ),
      ),
    ),
  ),
);

/** The same from the same seed. (xorshift32) */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const NAMES = [...TYPES, "ORDER_*", "INVOICE_*", "*", "ORDER_PLACED*", "MESSAGE_RECEIVED", "ORDER", "INVOICE_SENT_"];

function randomPolicy(random: (below: number) => number): Policy {
  const names = (): string[] => Array.from({ length: random(4) }, () => NAMES[random(NAMES.length)] as string);
  return {
    emit: names(),
    subscribe: names(),
    answer: names(),
    read: names(),
    conversations: random(2) === 0 ? "own" : "any",
    administer: random(2) === 0,
  };
}

/** What a stream may last, after what a function keeps for its end. */
const CALL_MS = 2_100;

const send = (world: World, policy: Policy, { method, path, ...rest }: ProbeCall) =>
  callInMemory(world.bus, method, path, { ...rest, caller: withPolicy(policy), lifeMs: CALL_MS });

type Answer = Awaited<ReturnType<typeof send>>;

const visibly = ({ status, headers, text }: Answer) => ({ status, headers: [...headers], text });

/** Tries a probe and says what is not as the oracle has it, in a sentence; null when all is. */
async function faultOf(world: World, probe: Probe, policy: Policy): Promise<string | null> {
  const { call, absent, expected: expectedOf } = await probe.prepare(world);
  const expected = expectedOf(policy);
  world.store.taken();
  const answer = await send(world, policy, call);
  const { reads, writes } = world.store.taken();
  const fault = faultOfAnswer(answer, expected);
  const told = `${probe.operation} (${probe.title}) under ${JSON.stringify(policy)}`;
  if (fault !== null) return `${told}: ${fault}; got ${answer.status} ${answer.text.slice(0, 300)}`;
  if (expected.kind === "done") return null;
  if (writes.length > 0) return `${told} was denied and wrote ${writes.join(", ")}`;
  if (expected.kind === "forbidden" || absent === undefined) return null;
  const likeIt = await send(world, policy, absent);
  const seen = world.store.taken();
  if (JSON.stringify(visibly(answer)) !== JSON.stringify(visibly(likeIt)))
    return `${told}: ${answer.text} for what is another's, ${likeIt.text} for what never was`;
  return String(reads) === String(seen.reads)
    ? null
    : `${told}: reads ${reads} for another's, ${seen.reads} for nobody's`;
}

function faultOfAnswer({ status, json }: Answer, expected: Expected): string | null {
  switch (expected.kind) {
    case "done":
      if (expected.status === 0) return status === 403 ? "an administrator was refused" : null;
      if (status >= 300) return "it should have been done";
      if (expected.status !== undefined && status !== expected.status) return `${expected.status} was expected`;
      return expected.shows?.(json) === false ? "it shows what it should not, or not what it should" : null;
    case "forbidden": {
      if (status !== 403 || json["code"] !== "forbidden") return "it should have been forbidden";
      const pointer = (json["errors"] as { pointer: string }[] | undefined)?.[0]?.pointer;
      return pointer === expected.pointer ? null : `${expected.pointer} should have been named`;
    }
    case "absent":
      return status === 404 && json["code"] === "not_found" ? null : "it should look absent";
  }
}

/** All ids that a query lists, page by page. */
async function listed(world: World, policy: Policy, query: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const next: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const { status, json } = await send(world, policy, { method: "GET", path: `/events?${query}${next}` });
    expect(status).toBe(200);
    ids.push(...(json["events"] as { id: string }[]).map(({ id }) => id));
    cursor = json["next_cursor"] as string | null;
  }
  return ids;
}

interface Filter {
  readonly query: string;
  readonly takes: (event: WorldEvent) => boolean;
}

const FILTERS = (events: readonly WorldEvent[]): Filter[] => [
  { query: "order=asc", takes: () => true },
  ...[1, 2, 1_000].map((limit) => ({ query: `order=asc&limit=${limit}`, takes: () => true })),
  ...TYPES.map((type) => ({
    query: `order=asc&limit=3&type=${type}`,
    takes: (event: WorldEvent) => event.type === type,
  })),
  { query: "order=asc&limit=2&agent_type=worker", takes: () => true },
  { query: "order=desc&limit=2", takes: () => true },
  { query: "order=asc&agent_type=nobody", takes: () => false },
  ...[...new Set(events.map(({ correlationId }) => correlationId)), "unheard of"].flatMap((id) =>
    [1, 50].map((limit) => ({
      query: `order=asc&limit=${limit}&correlation_id=${encodeURIComponent(id)}`,
      takes: (event: WorldEvent) => event.correlationId === id,
    })),
  ),
];

async function faultOfList(world: World, policy: Policy, { query, takes }: Filter): Promise<string | null> {
  const wanted = world.events.filter((event) => takes(event) && isListed(policy, event)).map(({ id }) => id);
  const got = await listed(world, policy, query);
  if (query.includes("desc")) wanted.reverse();
  return String(got) === String(wanted) ? null : `${query} under ${JSON.stringify(policy)}: ${got} and not ${wanted}`;
}

let looking: World;
beforeAll(async () => {
  looking = await policyWorld();
  // The key that signs cursors is made by whoever lists first.
  await listed(looking, MATRIX[0] as Policy, "");
});

describe("every operation, under every policy", () => {
  const operations = [...new Set(PROBES.map(({ operation }) => operation))];

  it("is tried: there is none that is not", () => {
    const tried = [...operations, "show", "explain", "list"];
    expect(Object.keys(RULES).filter((name) => !tried.includes(name as Operation))).toEqual([]);
  });

  it.each(operations)(
    "%s does what the policy allows, refuses what it does not, and writes nothing then [emit-3, respond-2]",
    async (name) => {
      const world = await policyWorld();
      for (const policy of MATRIX)
        for (const probe of PROBES)
          if (probe.operation === name) expect(await faultOf(world, probe, policy)).toBeNull();
    },
  );

  it("show and explain give what may be seen, and for all else the very answer of what never was [history-6, respond-1]", async () => {
    for (const policy of MATRIX)
      for (const probe of looking.events.flatMap(lookingAt)) expect(await faultOf(looking, probe, policy)).toBeNull();
  });

  it("list pages through what may be seen, whatever the filter: all of it, in order, and nothing else", async () => {
    for (const policy of MATRIX)
      for (const filter of FILTERS(looking.events)) expect(await faultOfList(looking, policy, filter)).toBeNull();
  });

  it("list answers for another's conversation exactly as for one that never was", async () => {
    const foreign = looking.events.filter(({ isInOwnConversation, isOwn }) => !isInOwnConversation && !isOwn);
    for (const policy of MATRIX)
      for (const { correlationId } of foreign) {
        const inIt = looking.events.filter((event) => event.correlationId === correlationId);
        if (inIt.some((event) => isListed(policy, event))) continue;
        const page = (id: string) =>
          send(looking, policy, { method: "GET", path: `/events?limit=1&correlation_id=${id}` });
        expect(visibly(await page(encodeURIComponent(correlationId)))).toEqual(visibly(await page("never-was")));
      }
  });
});

describe("what is answered", () => {
  it("is as the OpenAPI document says, allowed or refused", async () => {
    const world = await policyWorld();
    const { check } = conformance(openApiDocument({ catalogue: world.bus.deps.catalogue }));
    for (const policy of [MATRIX[0], MATRIX.at(-1)] as Policy[])
      for (const probe of [...PROBES, ...world.events.flatMap(lookingAt)]) {
        const { call } = await probe.prepare(world);
        expect(check(await send(world, policy, call))).toEqual([]);
      }
  });
});

describe("10,000 random policies", () => {
  it("allow and refuse what the oracle says, each tried at several places", async () => {
    const random = randomNumbers(20_260_601);
    let world = await policyWorld();
    const filters = FILTERS(looking.events);
    for (let i = 0; i < 10_000; i++) {
      const policy = randomPolicy(random);
      // What is done stays: a world that has seen much is slow.
      if (i % 50 === 49) world = await policyWorld();
      expect(await faultOf(world, PROBES[random(PROBES.length)] as Probe, policy)).toBeNull();
      const [show, explain] = lookingAt(looking.events[random(looking.events.length)] as WorldEvent);
      expect(await faultOf(looking, (random(2) === 0 ? show : explain) as Probe, policy)).toBeNull();
      if (i % 10 === 0)
        expect(await faultOfList(looking, policy, filters[random(filters.length)] as Filter)).toBeNull();
    }
  });

  it("are what the oracle makes of them only because types match as they should", () => {
    expect(covers(["ORDER_*"], "ORDER_PLACED")).toBe(true);
    expect(covers(["ORDER"], "ORDER_PLACED")).toBe(false);
    expect(covers([], SUBJECT)).toBe(false);
  });
});
