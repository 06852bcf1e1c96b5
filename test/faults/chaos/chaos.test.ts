import { expect, test } from "vitest";
import { callsOf } from "../history.ts";
import type { NemesisName } from "../proxy/nemeses.ts";
import { reportOf } from "./report.ts";
import { runChaos } from "./run.ts";

/** Another one finds other things: `npm run chaos` draws one each time. */
const SEED = 4;

/** What there is to do; a slow machine does as much of it as it can in the time. */
const EMITS = 2_000;
const WAITS = 1_000;
const MOST_LOAD_SECONDS = 55;

test("agents on a bus that fails, lies and is killed are told nothing that is not so, and lose nothing", async () => {
  const result = await runChaos({ seed: SEED, emits: EMITS, waits: WAITS, mostLoadSeconds: MOST_LOAD_SECONDS });
  console.log(reportOf(result));
  expect(result.violations).toEqual([]);

  // It would be no wonder if nothing had happened.
  const acknowledged = callsOf(result.history.calls, "emit").filter(({ outcome }) => outcome.kind === "ok");
  expect(acknowledged.length).toBeGreaterThan(50);
  expect(result.kills).toBeGreaterThan(0);
  const about: readonly NemesisName[] = [
    "dropped",
    "acknowledgementLost",
    "zombie",
    "duplicated",
    "throttled",
    "burst",
  ];
  for (const nemesis of about) expect({ nemesis, hits: result.proxy.of(nemesis) > 0 }).toEqual({ nemesis, hits: true });
  // R8: once the endpoints are mended, only that is dead which nobody wants any more.
  for (const { reason } of result.state.deliveries.filter(({ state, kind }) => state === "DEAD" && kind !== "deployed"))
    expect(reason).toMatch(/^(subscription_deleted|the deadline has passed|the event has expired)$/);
});
