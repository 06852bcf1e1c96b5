import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { keepAdministratorKey } from "../../../local/admin-key.ts";
import { identifyBy, issueAdministratorKey } from "../../../local/key-mode.ts";
import { createSubscriberKeys } from "../../../local/subscriber-keys.ts";
import { changeAgent } from "../../../shared/agents/administer.ts";
import { busInMemory, TEST_BUS } from "../../support/bus-in-memory.ts";
import { cleanUp, temporaryFolder } from "../../support/embedded.ts";

afterEach(cleanUp);

/** Starts of a run, on one data folder. */
function aRun() {
  const bus = busInMemory();
  const folder = temporaryFolder();
  const path = join(folder, "admin-key");
  const identify = identifyBy(bus.deps, bus.deps.subscribers, createSubscriberKeys());
  const isValid = async (key: string): Promise<boolean> => {
    const call = { method: "GET", path: "/agents", authorization: `Bearer ${key}` };
    return (await identify(call)).kind === "known";
  };
  const start = () => keepAdministratorKey(folder, { issue: () => issueAdministratorKey(bus.deps), isValid });
  return { ...bus, path, start, isValid, key: () => readFileSync(path, "utf8").trim() };
}

describe("the administrator's key", () => {
  test("is made at the first start, only its owner can read it, and it stays", async () => {
    const { path, start, key, isValid, store } = aRun();
    expect(await start()).toEqual({ path, state: "good" });
    const first = key();
    expect(await isValid(first)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await store.getAgent("admin"))?.policy).toMatchObject({ administer: true, conversations: "any" });
    expect(await start()).toEqual({ path, state: "good" });
    expect(key()).toBe(first);
  });

  test("is made anew after a crash before it was written, or where the file was lost", async () => {
    const { start, key, isValid, deps } = aRun();
    const lost = (await issueAdministratorKey(deps)) ?? "";
    expect(await start()).toMatchObject({ state: "good" });
    expect([await isValid(key()), await isValid(lost)]).toEqual([true, false]);
  });

  test("is not made where somebody has decided that this agent is no administrator any more", async () => {
    for (const change of [{ disabled: true }, { policy: { administer: false } }]) {
      const { start, deps, path } = aRun();
      await issueAdministratorKey(deps);
      await changeAgent(deps, "admin", change);
      expect(await start()).toEqual({ path, state: "lost" });
      expect(() => statSync(path)).toThrow();
    }
  });

  test("is left as it is when it is not valid, and that is said", async () => {
    const { start, path, key } = aRun();
    writeFileSync(path, "aeb_admin_old");
    expect(await start()).toEqual({ path, state: "not_valid" });
    expect(key()).toBe("aeb_admin_old");
  });
});

describe("deployed subscribers of a run with keys", () => {
  test("are known by the key of their run, each as itself", async () => {
    const { deps } = busInMemory(TEST_BUS);
    const keys = createSubscriberKeys();
    const identify = identifyBy(deps, deps.subscribers, keys);
    const whoHas = async (key: string) => {
      const identified = await identify({ method: "POST", path: "/events", authorization: `Bearer ${key}` });
      return identified.kind === "known" ? identified.agent : null;
    };
    expect(await whoHas(keys.keyOf("alice"))).toMatchObject({
      id: "subscriber:alice",
      subscriber: "alice",
      policy: { answer: ["CONTEXT_REQUESTED"], subscribe: [], administer: false },
    });
    // Of another run, or of a subscriber that there is not.
    expect(await whoHas(createSubscriberKeys().keyOf("alice"))).toBeNull();
    expect(await whoHas(keys.keyOf("carol"))).toBeNull();
    expect(keys.subscriberOf(keys.keyOf("alice").replace("alice", "bob"))).toBeNull();
  });
});
