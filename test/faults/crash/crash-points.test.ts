import { afterAll, describe, expect, test } from "vitest";
import { checkRun } from "../checker.ts";
import { type Death, dyingProcess } from "./dying-process.ts";
import { OPERATIONS } from "./operations/all.ts";
import type { OperationUnderTest } from "./operations/operation.ts";
import { recover } from "./recovery.ts";
import { Stage } from "./stage.ts";

/** Whoever does something does it again so often, after so many milliseconds. */
const MAX_TRIES = 4;
const AGAIN_AFTER_MS = 1_500;

let points = 0;
afterAll(() => console.log(`${points} crash points, each of them recovered from`));

/** Does an operation in a process that dies at a point, and again in ones that do not; then all goes on. */
async function dieAndRecover(operation: OperationUnderTest, death: Death) {
  const stage = new Stage();
  const act = await operation.prepare(stage);
  const process = dyingProcess(stage.bus.deps, death);
  let isDone = await act(process);
  for (let tries = 0; !isDone && tries < MAX_TRIES; tries++) {
    await stage.bus.clock.pause(AGAIN_AFTER_MS);
    isDone = await act(stage.lasting);
  }
  await recover(stage);
  const violations = checkRun(stage.history.calls, await stage.finalState(), {
    deployed: stage.bus.deps.subscribers.map(({ name, on }) => ({ name, eventTypes: on })),
    historyLagMs: 0,
    isFaultless: death.at === Number.POSITIVE_INFINITY,
  });
  const faults = (await operation.check?.(stage)) ?? [];
  return { isDone, violations, faults, calls: process.calls };
}

describe("whoever dies at any call to the outside, before or after it, loses nothing and does nothing twice", () => {
  test.each(OPERATIONS.map((operation) => [operation.name, operation] as const))("%s", async (_, operation) => {
    const whole = await dieAndRecover(operation, { at: Number.POSITIVE_INFINITY, fate: "before" });
    expect(whole).toMatchObject({ isDone: true, violations: [], faults: [] });
    expect(whole.calls.length).toBeGreaterThan(0);
    for (const [i, call] of whole.calls.entries())
      for (const fate of ["before", "after"] as const) {
        const { isDone, violations, faults } = await dieAndRecover(operation, { at: i + 1, fate });
        expect({ died: `${fate} ${call}, call ${i + 1}`, isDone, violations, faults }).toMatchObject({
          isDone: true,
          violations: [],
          faults: [],
        });
        points++;
      }
  });
});
