import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentOfKey, keyIn } from "../../../shared/agents/authenticate.ts";
import { hashOfKey, isKeyOf, nameInKey, writeKey } from "../../../shared/agents/key.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import type { AgentKey, AgentRecord } from "../../../shared/agents/records.ts";
import { BusError } from "../../../shared/errors.ts";
import { isoAt } from "../../../shared/time.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";

const NOW_MS = Date.parse("2026-01-31T12:00:00.000Z");
const freshKey = (name = "billing"): string => writeKey(name, randomBytes(32).toString("base64url"));

const recorded = (key: string, more: Partial<AgentKey> = {}): AgentKey => ({
  keyId: "k-1",
  hash: hashOfKey(key),
  createdAt: isoAt(NOW_MS),
  ...more,
});

const anAgent = (keys: readonly AgentKey[], more: Partial<AgentRecord> = {}): AgentRecord => ({
  name: "billing",
  policy: DEFAULT_POLICY,
  status: "active",
  keys,
  createdAt: isoAt(NOW_MS),
  updatedAt: isoAt(NOW_MS),
  version: 1,
  ...more,
});

describe("an agent key", () => {
  it("names its agent, whatever the name and the secret are", () => {
    const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/);
    const secrets = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString("base64url"));
    fc.assert(fc.property(names, secrets, (name, secret) => nameInKey(writeKey(name, secret)) === name));
  });

  const key = writeKey("billing", `${"A".repeat(42)}E`);

  it.each([
    ["", "nothing"],
    ["aeb", "a beginning"],
    [key.slice(0, -1), "one character less"],
    [`${key}A`, "one more"],
    [`${key.slice(0, -1)}B`, "bits that no 32 bytes have"],
    [key.replace("aeb_", "AEB_"), "another beginning"],
    [key.replace("billing", "Billing"), "a name in capitals"],
    [key.replace("billing", "-billing"), "a name that begins with a hyphen"],
    [key.replace("billing", "bill_ing"), "a name with an underscore"],
    [key.replace("billing", "b".repeat(41)), "a name that is too long"],
    [key.replace("billing", ""), "no name"],
    [key.replace("A", "+"), "plain base64"],
    [key.replace("A", "é"), "a letter of another alphabet"],
    [`${key}\n`, "a line's end behind it"],
    [` ${key}`, "a space before it"],
    [`${key}\0`, "a zero"],
  ])("%j is none: %s", (text) => {
    expect(nameInKey(text)).toBeNull();
  });

  it("is told from everything else without a failure", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => nameInKey(text) === null));
  });
});

describe("an Authorization header", () => {
  it.each([
    [undefined, null],
    ["", null],
    ["Bearer", null],
    ["Bearer ", null],
    ["Basic abc", null],
    ["Bearer a b", null],
    ["Bearer a, Bearer b", null],
    ["Bearer a\n", null],
    ["AWS4-HMAC-SHA256 Credential=x", null],
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    ["BEARER   abc", "abc"],
  ])("%j has the token %j", (header, token) => {
    expect(keyIn(header)).toBe(token);
  });
});

describe("whether a key is an agent's", () => {
  const key = freshKey();

  it("any of the four places that a key may have will do", () => {
    const others = ["a", "b", "c"].map((id) => recorded(freshKey(), { keyId: id }));
    for (let place = 0; place < 4; place++) {
      const keys = [...others.slice(0, place), recorded(key), ...others.slice(place)];
      expect(isKeyOf(anAgent(keys), key, NOW_MS)).toBe(true);
    }
    expect(isKeyOf(anAgent(others), key, NOW_MS)).toBe(false);
  });

  it("ends at the very millisecond that was said", () => {
    const agent = anAgent([recorded(key, { expiresAt: isoAt(NOW_MS) })]);
    expect(isKeyOf(agent, key, NOW_MS - 1)).toBe(true);
    expect(isKeyOf(agent, key, NOW_MS)).toBe(false);
  });

  it.each(["disabled", "deleted"] as const)("not while the agent is %s", (status) => {
    expect(isKeyOf(anAgent([recorded(key)], { status }), key, NOW_MS)).toBe(false);
  });

  it("not where there is no agent, or it has no key", () => {
    expect(isKeyOf(null, key, NOW_MS)).toBe(false);
    expect(isKeyOf(anAgent([]), key, NOW_MS)).toBe(false);
  });

  it("not for a key that differs in one character, wherever that is", () => {
    const agent = anAgent([recorded(key)]);
    for (let i = 0; i < key.length; i++) {
      const other = `${key.slice(0, i)}${key[i] === "a" ? "b" : "a"}${key.slice(i + 1)}`;
      expect(isKeyOf(agent, other, NOW_MS)).toBe(false);
    }
  });

  it("a hash in another agent's record opens nothing: the name is part of what was hashed", () => {
    const theirs = key.replace("aeb_billing_", "aeb_planner_");
    expect(isKeyOf(anAgent([recorded(key)], { name: "planner" }), theirs, NOW_MS)).toBe(false);
  });
});

describe("who calls with a key", () => {
  it("is known by one read, which is of the agent alone", async () => {
    const { store, deps } = busInMemory();
    const key = freshKey();
    await store.replaceAgent(anAgent([recorded(key)]), 0);
    const read: string[] = [];
    const getAgent = store.getAgent.bind(store);
    store.getAgent = (name) => {
      read.push(name);
      return getAgent(name);
    };
    expect(await agentOfKey(deps, `Bearer ${key}`)).toEqual({ id: "agent:billing", policy: DEFAULT_POLICY });
    expect(await agentOfKey(deps, `Bearer ${freshKey()}`)).toBeNull();
    expect(await agentOfKey(deps, `Bearer ${freshKey("nobody")}`)).toBeNull();
    expect(read).toEqual(["billing", "billing", "nobody"]);
    // What is no key names nobody who could be looked up.
    for (const header of [undefined, "", "Bearer", `Basic ${key}`, `Bearer ${key}x`, key])
      expect(await agentOfKey(deps, header)).toBeNull();
    expect(read).toHaveLength(3);
  });

  it("is nobody while the store does not answer: the failure is told, and nobody is let in", async () => {
    const { store, deps } = busInMemory();
    store.getAgent = () => Promise.reject(new BusError("unavailable", "The store did not answer."));
    await expect(agentOfKey(deps, `Bearer ${freshKey()}`)).rejects.toMatchObject({ code: "unavailable" });
  });
});
