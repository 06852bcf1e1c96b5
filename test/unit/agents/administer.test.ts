import { describe, expect, it } from "vitest";
import {
  changeAgent,
  deleteAgent,
  type RegisteredAgent,
  registerAgent,
  revokeKey,
  rotateKey,
} from "../../../shared/agents/administer.ts";
import { agentOfKey } from "../../../shared/agents/authenticate.ts";
import { listAgents, showAgent } from "../../../shared/agents/look-up.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import type { AgentRecord } from "../../../shared/agents/records.ts";
import { BusError } from "../../../shared/errors.ts";
import { subscribe } from "../../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";

const DAY_MS = 86_400_000;

/** Who a key lets in at this moment. */
const whoHas = async ({ deps }: BusInMemory, key: string): Promise<string | null> =>
  (await agentOfKey(deps, `Bearer ${key}`))?.id ?? null;

const register = ({ deps }: BusInMemory, more: object = {}): Promise<RegisteredAgent> =>
  registerAgent(deps, { name: "billing", ...more });

/** Lets something happen between the next reading of an agent and what is written upon it. */
function between(bus: BusInMemory, happens: () => Promise<unknown>): void {
  const getAgent = bus.store.getAgent.bind(bus.store);
  bus.store.getAgent = async (name) => {
    const seen = await getAgent(name);
    bus.store.getAgent = getAgent;
    await happens();
    return seen;
  };
}

/** The next write gets through, and looks as if it had been refused: its acknowledgement was lost. */
function loseAcknowledgement({ store }: BusInMemory): void {
  const replaceAgent = store.replaceAgent.bind(store);
  store.replaceAgent = async (next, seenVersion) => {
    store.replaceAgent = replaceAgent;
    expect(await replaceAgent(next, seenVersion)).toBe(true);
    return false;
  };
}

describe("an agent is registered", () => {
  it("and let in with the key that it is given", async () => {
    const bus = busInMemory();
    const agent = await register(bus);
    expect(agent).toEqual({
      name: "billing",
      id: "agent:billing",
      policy: DEFAULT_POLICY,
      disabled: false,
      keys: [{ key_id: agent.key_id, created_at: agent.created_at }],
      created_at: expect.any(String),
      updated_at: agent.created_at,
      key_id: expect.any(String),
      key: expect.stringMatching(/^aeb_billing_[\w-]{43}$/),
    });
    expect(await whoHas(bus, agent.key)).toBe("agent:billing");
  });

  it("and its key is kept by nobody: what is recorded, listed and logged has neither the key nor a hash to see", async () => {
    const bus = busInMemory();
    const lines: string[] = [];
    const note = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
    const deps = { ...bus.deps, log: { info: note, warn: note, error: note } };
    const agent = await registerAgent(deps, { name: "billing" });
    const record = (await bus.store.getAgent("billing")) as AgentRecord;
    const secret = agent.key.slice("aeb_billing_".length);
    expect(JSON.stringify(record)).not.toContain(secret);
    const shown = JSON.stringify([await showAgent(deps, "billing"), await listAgents(deps, {}, "admin")]);
    for (const hidden of [secret, record.keys[0]?.hash ?? "?"]) {
      expect(shown).not.toContain(hidden);
      expect(lines.join("\n")).not.toContain(hidden);
    }
    expect(lines.join("\n")).toContain("an agent was registered");
  });

  it("with the rights that were named, and the default for the others", async () => {
    const { policy } = await register(busInMemory(), {
      policy: { emit: ["UPGRADE_*"], read: [], conversations: "any", administer: true },
    });
    expect(policy).toEqual({
      ...DEFAULT_POLICY,
      emit: ["UPGRADE_*"],
      read: [],
      conversations: "any",
      administer: true,
    });
  });

  it("once: the name of another is refused, and the other stays as it is", async () => {
    const bus = busInMemory();
    const { key } = await register(bus);
    await expect(register(bus, { policy: { administer: true } })).rejects.toMatchObject({
      code: "agent_exists",
      errors: [{ pointer: "/name" }],
    });
    expect((await showAgent(bus.deps, "billing")).policy.administer).toBe(false);
    expect(await whoHas(bus, key)).toBe("agent:billing");
  });

  it("once, when 20 do at the same moment: one has it, and the others' keys open nothing", async () => {
    const bus = busInMemory();
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => register(bus)));
    const won = tries.filter((one) => one.status === "fulfilled");
    expect(won).toHaveLength(1);
    expect(await whoHas(bus, won[0]?.value.key ?? "")).toBe("agent:billing");
    expect((await showAgent(bus.deps, "billing")).keys).toHaveLength(1);
    for (const one of tries) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "agent_exists" });
  });

  it("although the write's acknowledgement was lost", async () => {
    const bus = busInMemory();
    loseAcknowledgement(bus);
    const { key } = await register(bus);
    expect(await whoHas(bus, key)).toBe("agent:billing");
  });

  it.each([
    [{ name: "Billing" }, "/name"],
    [{ name: "b".repeat(41) }, "/name"],
    [{ name: "a_b" }, "/name"],
    [{ name: "" }, "/name"],
    [{ name: 5 }, "/name"],
    [{}, "/name"],
    [{ name: "billing", secret: "mine" }, "/secret"],
    [{ name: "billing", policy: { speak: ["*"] } }, "/policy/speak"],
    [{ name: "billing", policy: [] }, "/policy"],
    [{ name: "billing", policy: { emit: "*" } }, "/policy/emit"],
    [{ name: "billing", policy: { emit: [1] } }, "/policy/emit/0"],
    [{ name: "billing", policy: { read: ["PING", "A*B*"] } }, "/policy/read/1"],
    [{ name: "billing", policy: { read: ["**"] } }, "/policy/read/0"],
    [{ name: "billing", policy: { read: [" *"] } }, "/policy/read/0"],
    [{ name: "billing", policy: { answer: Array(101).fill("*") } }, "/policy/answer"],
    [{ name: "billing", policy: { conversations: "all" } }, "/policy/conversations"],
    [{ name: "billing", policy: { administer: "yes" } }, "/policy/administer"],
    [[], ""],
    [null, ""],
  ])("not from %j", async (body, pointer) => {
    const bus = busInMemory({ eventTypes: { PING: {} } });
    await expect(registerAgent(bus.deps, body)).rejects.toMatchObject({
      code: "invalid_request",
      errors: [{ pointer }],
    });
    expect(await bus.store.listAgents("", 10)).toEqual([]);
  });

  it("not with a type that there is not, and is told the nearest", async () => {
    const bus = busInMemory();
    const policy = { subscribe: ["UPGRADE_*", "UPGRADE_REQUESTD"] };
    const refused = registerAgent(bus.deps, { name: "billing", policy });
    await expect(refused).rejects.toMatchObject({
      code: "unknown_event_type",
      message: expect.stringContaining("UPGRADE_REQUESTED"),
      errors: [{ pointer: "/policy/subscribe/1" }],
    });
  });
});

describe("an agent is changed", () => {
  it("in the rights that are named, with its next call", async () => {
    const bus = busInMemory();
    const { key } = await register(bus, { policy: { emit: [], conversations: "any" } });
    await changeAgent(bus.deps, "billing", { policy: { emit: ["UPGRADE_*"], read: [] } });
    expect((await agentOfKey(bus.deps, `Bearer ${key}`))?.policy).toEqual({
      ...DEFAULT_POLICY,
      emit: ["UPGRADE_*"],
      read: [],
      conversations: "any",
    });
  });

  it("shut out while it is disabled, and let in again with the keys that it had", async () => {
    const bus = busInMemory();
    const { key } = await register(bus);
    expect(await changeAgent(bus.deps, "billing", { disabled: true })).toMatchObject({ disabled: true });
    expect(await whoHas(bus, key)).toBeNull();
    // A change of something else does not let it in.
    await changeAgent(bus.deps, "billing", { policy: { read: [] } });
    expect(await whoHas(bus, key)).toBeNull();
    expect(await changeAgent(bus.deps, "billing", { disabled: false })).toMatchObject({ disabled: false });
    expect(await whoHas(bus, key)).toBe("agent:billing");
  });

  it("by several at once: every change counts", async () => {
    const bus = busInMemory();
    await register(bus);
    await Promise.all([
      changeAgent(bus.deps, "billing", { policy: { read: [] } }),
      changeAgent(bus.deps, "billing", { policy: { emit: [] } }),
      changeAgent(bus.deps, "billing", { disabled: true }),
    ]);
    expect(await showAgent(bus.deps, "billing")).toMatchObject({ policy: { read: [], emit: [] }, disabled: true });
  });

  it.each([[{ name: "other" }], [{ disabled: "yes" }], [{ policy: { emit: "*" } }], [[]]])(
    "not by %j",
    async (body) => {
      const bus = busInMemory();
      await register(bus);
      await expect(changeAgent(bus.deps, "billing", body)).rejects.toMatchObject({ code: "invalid_request" });
    },
  );
});

describe("an agent is deleted", () => {
  it("and its keys are dead at once", async () => {
    const bus = busInMemory();
    const { key } = await register(bus);
    await deleteAgent(bus.deps, "billing");
    expect(await whoHas(bus, key)).toBeNull();
    // Not even their hashes are kept.
    expect(await bus.store.getAgent("billing")).toMatchObject({ status: "deleted", keys: [] });
    await expect(showAgent(bus.deps, "billing")).rejects.toMatchObject({ code: "not_found" });
    expect((await listAgents(bus.deps, {}, "admin")).agents).toEqual([]);
  });

  it("and what it had subscribed to ends", async () => {
    const bus = busInMemory();
    await register(bus);
    const target = { kind: "queue" };
    const owner = { id: "agent:billing", policy: DEFAULT_POLICY };
    for (const name of ["a", "b", "c"])
      await subscribe(bus.deps, { name, event_types: ["MESSAGE_RECEIVED"], target }, owner);
    await subscribe(
      bus.deps,
      { name: "a", event_types: ["MESSAGE_RECEIVED"], target },
      { ...owner, id: "agent:other" },
    );
    await deleteAgent(bus.deps, "billing");
    const entries = await bus.store.getEntries("MESSAGE_RECEIVED");
    expect(entries.map((entry) => entry.owner)).toEqual(["agent:other"]);
    for (const { status } of await bus.store.listSubscriptions("agent:billing", "", 10)) expect(status).toBe("deleted");
  });

  it("and what a crash left of its subscriptions ends when it is deleted once more", async () => {
    const bus = busInMemory();
    const { key } = await register(bus);
    const owner = { id: "agent:billing", policy: DEFAULT_POLICY };
    const body = { name: "a", event_types: ["MESSAGE_RECEIVED"], target: { kind: "queue" } };
    await subscribe(bus.deps, body, owner);
    const listSubscriptions = bus.store.listSubscriptions.bind(bus.store);
    bus.store.listSubscriptions = () => Promise.reject(new BusError("unavailable", "The store did not answer."));
    await expect(deleteAgent(bus.deps, "billing")).rejects.toMatchObject({ code: "unavailable" });
    // Its keys came first.
    expect(await whoHas(bus, key)).toBeNull();
    bus.store.listSubscriptions = listSubscriptions;
    await deleteAgent(bus.deps, "billing");
    expect(await bus.store.getEntries("MESSAGE_RECEIVED")).toEqual([]);
  });

  it("and its name is no other's while its events are kept, for they are found under it", async () => {
    const bus = busInMemory();
    await register(bus);
    await deleteAgent(bus.deps, "billing");
    await expect(register(bus)).rejects.toMatchObject({
      code: "agent_exists",
      message: expect.stringContaining("free again on"),
    });
    bus.clock.nowMs += (bus.deps.limits.retentionDays + 1) * DAY_MS;
    const { key } = await register(bus);
    expect(await whoHas(bus, key)).toBe("agent:billing");
  });

  it("although a change comes in between: it stays deleted", async () => {
    const bus = busInMemory();
    const { key } = await register(bus);
    between(bus, () => deleteAgent(bus.deps, "billing"));
    await expect(changeAgent(bus.deps, "billing", { disabled: false })).rejects.toMatchObject({ code: "not_found" });
    expect(await whoHas(bus, key)).toBeNull();
  });
});

describe("a key is replaced", () => {
  it("and both are good until the overlap ends", async () => {
    const bus = busInMemory();
    const first = await register(bus);
    const second = await rotateKey(bus.deps, "billing", { overlap_seconds: 60 });
    expect(Date.parse(second.previous_valid_until)).toBe(bus.clock.nowMs + 60_000);
    expect(await whoHas(bus, first.key)).toBe("agent:billing");
    expect(await whoHas(bus, second.key)).toBe("agent:billing");
    expect((await showAgent(bus.deps, "billing")).keys).toMatchObject([
      { key_id: second.key_id },
      { key_id: first.key_id, expires_at: second.previous_valid_until },
    ]);
    bus.clock.nowMs += 60_000;
    expect(await whoHas(bus, first.key)).toBeNull();
    expect(await whoHas(bus, second.key)).toBe("agent:billing");
    expect((await showAgent(bus.deps, "billing")).keys).toHaveLength(1);
  });

  it("with a day to do it in, unless told; with none, the old one is dead at once", async () => {
    const bus = busInMemory();
    const first = await register(bus);
    const second = await rotateKey(bus.deps, "billing", {});
    expect(Date.parse(second.previous_valid_until)).toBe(bus.clock.nowMs + DAY_MS);
    const third = await rotateKey(bus.deps, "billing", { overlap_seconds: 0 });
    for (const { key } of [first, second]) expect(await whoHas(bus, key)).toBeNull();
    expect(await whoHas(bus, third.key)).toBe("agent:billing");
  });

  it("and a key that was to end does not live longer for a further one", async () => {
    const bus = busInMemory();
    const first = await register(bus);
    await rotateKey(bus.deps, "billing", { overlap_seconds: 60 });
    await rotateKey(bus.deps, "billing", { overlap_seconds: 600 });
    bus.clock.nowMs += 60_000;
    expect(await whoHas(bus, first.key)).toBeNull();
  });

  it("three times within the overlap; then one has to be revoked first", async () => {
    const bus = busInMemory();
    const first = await register(bus);
    for (let i = 0; i < 3; i++) await rotateKey(bus.deps, "billing", {});
    await expect(rotateKey(bus.deps, "billing", {})).rejects.toMatchObject({ code: "rate_limited", retryable: false });
    await revokeKey(bus.deps, "billing", first.key_id);
    await rotateKey(bus.deps, "billing", {});
    bus.clock.nowMs += DAY_MS;
    await rotateKey(bus.deps, "billing", {});
    expect((await showAgent(bus.deps, "billing")).keys).toHaveLength(2);
  });

  it("by several at once: every key that was given is good", async () => {
    const bus = busInMemory();
    const first = await register(bus);
    const rotated = await Promise.all([1, 2, 3].map(() => rotateKey(bus.deps, "billing", {})));
    for (const { key } of [first, ...rotated]) expect(await whoHas(bus, key)).toBe("agent:billing");
  });

  it("once, although the write's acknowledgement was lost", async () => {
    const bus = busInMemory();
    await register(bus);
    loseAcknowledgement(bus);
    const { key } = await rotateKey(bus.deps, "billing", {});
    expect(await whoHas(bus, key)).toBe("agent:billing");
    expect((await showAgent(bus.deps, "billing")).keys).toHaveLength(2);
  });

  it.each([
    [{ overlap_seconds: -1 }],
    [{ overlap_seconds: 604_801 }],
    [{ overlap_seconds: 1.5 }],
    [{ overlap: 1 }],
    [[]],
  ])("not by %j", async (body) => {
    const bus = busInMemory();
    await register(bus);
    await expect(rotateKey(bus.deps, "billing", body)).rejects.toMatchObject({ code: "invalid_request" });
  });
});

describe("a key is revoked", () => {
  it("and is dead at once, the others are not", async () => {
    const bus = busInMemory();
    const first = await register(bus);
    const second = await rotateKey(bus.deps, "billing", {});
    await revokeKey(bus.deps, "billing", first.key_id);
    expect(await whoHas(bus, first.key)).toBeNull();
    expect(await whoHas(bus, second.key)).toBe("agent:billing");
    await expect(revokeKey(bus.deps, "billing", first.key_id)).rejects.toMatchObject({ code: "not_found" });
  });

  it("although the key is replaced, or the agent changed, between looking and writing: it ends revoked", async () => {
    const races: ((bus: BusInMemory) => Promise<unknown>)[] = [
      ({ deps }) => rotateKey(deps, "billing", {}),
      ({ deps }) => changeAgent(deps, "billing", { policy: { read: [] } }),
      async ({ deps }) => {
        await changeAgent(deps, "billing", { disabled: true });
        await changeAgent(deps, "billing", { disabled: false });
      },
    ];
    for (const race of races)
      for (const isRevokedFirst of [true, false]) {
        const bus = busInMemory();
        const first = await register(bus);
        const revoke = () => revokeKey(bus.deps, "billing", first.key_id);
        const other = () => race(bus);
        between(bus, isRevokedFirst ? revoke : other);
        await (isRevokedFirst ? other : revoke)();
        expect(await whoHas(bus, first.key)).toBeNull();
      }
  });

  it("although all happens at the same moment, however it falls", async () => {
    for (let i = 0; i < 20; i++) {
      const bus = busInMemory();
      const first = await register(bus);
      const [, rotated] = await Promise.all([
        revokeKey(bus.deps, "billing", first.key_id),
        rotateKey(bus.deps, "billing", {}),
        changeAgent(bus.deps, "billing", { policy: { read: [] } }),
      ]);
      expect(await whoHas(bus, first.key)).toBeNull();
      expect(await whoHas(bus, rotated.key)).toBe("agent:billing");
    }
  });

  it("once, although the write's acknowledgement was lost", async () => {
    const bus = busInMemory();
    const { key, key_id } = await register(bus);
    loseAcknowledgement(bus);
    await revokeKey(bus.deps, "billing", key_id);
    expect(await whoHas(bus, key)).toBeNull();
  });
});

describe("agents are listed", () => {
  it("by name, page by page, without those that are deleted", async () => {
    const bus = busInMemory();
    for (const name of ["e", "a", "c", "b", "d"]) await registerAgent(bus.deps, { name });
    await deleteAgent(bus.deps, "b");
    const names: string[] = [];
    for (let query: Record<string, string> = { limit: "2" }, i = 0; i < 10; i++) {
      const page = await listAgents(bus.deps, query, "agent:admin");
      names.push(...page.agents.map(({ name }) => name));
      if (page.next_cursor === null) break;
      query = { limit: "2", cursor: page.next_cursor };
    }
    expect(names).toEqual(["a", "c", "d", "e"]);
  });

  it("for the administrator to whom a cursor was given, and nobody else", async () => {
    const bus = busInMemory();
    for (const name of ["a", "b"]) await registerAgent(bus.deps, { name });
    const { next_cursor } = await listAgents(bus.deps, { limit: "1" }, "agent:admin");
    const cursor = next_cursor ?? "";
    for (const [query, caller] of [
      [{ cursor }, "agent:other"],
      [{ cursor: `x${cursor}` }, "agent:admin"],
      [{ cursor: "" }, "agent:admin"],
      [{ after: "a" }, "agent:admin"],
    ] as const)
      await expect(listAgents(bus.deps, query, caller)).rejects.toMatchObject({ code: "invalid_request" });
  });
});

it.each(["", "Billing", "a/b", "..", "billing#", "nobody", "x".repeat(200)])(
  "there is no agent %j to show, change, delete, or give keys to",
  async (name) => {
    const bus = busInMemory();
    await register(bus);
    const absent = { code: "not_found", message: "There is no such agent." };
    await expect(showAgent(bus.deps, name)).rejects.toMatchObject(absent);
    await expect(changeAgent(bus.deps, name, {})).rejects.toMatchObject(absent);
    await expect(deleteAgent(bus.deps, name)).rejects.toMatchObject(absent);
    await expect(rotateKey(bus.deps, name, {})).rejects.toMatchObject(absent);
    await expect(revokeKey(bus.deps, name, "k")).rejects.toMatchObject(absent);
  },
);
