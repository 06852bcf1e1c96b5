/** A process that dies at one of its calls to the outside: before it is made, or when it is done and nobody knows yet. */
import { BusError } from "../../../shared/errors.ts";
import type { AllDeps } from "../../support/bus-in-memory.ts";

export interface Death {
  /** At which call, from 1. Infinity: never. */
  readonly at: number;
  readonly fate: "before" | "after";
}

export interface DyingProcess {
  readonly deps: AllDeps;
  /** What was called so far, `port.method` each. */
  readonly calls: readonly string[];
  readonly isDead: boolean;
}

/** What is outside of a process. */
const PORTS = ["store", "publisher", "webhookQueue", "deployed", "webhooks"] as const;

export function dyingProcess(deps: AllDeps, death: Death): DyingProcess {
  const calls: string[] = [];
  let isDead = false;

  const requireLife = (): void => {
    if (isDead) throw new BusError("unavailable", "The process is dead.");
  };
  const called = async (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    requireLife();
    calls.push(name);
    const isLast = calls.length === death.at;
    if (isLast && death.fate === "before") isDead = true;
    requireLife();
    const outcome = await call();
    if (isLast) isDead = true;
    // Another call of the same process may have been its last meanwhile.
    requireLife();
    return outcome;
  };
  const watched = <Port extends object>(name: string, port: Port): Port =>
    new Proxy(port, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) => called(`${name}.${String(key)}`, () => Reflect.apply(method, target, args));
      },
    });

  const ports = Object.fromEntries(PORTS.map((name) => [name, watched(name, deps[name])]));
  return {
    deps: {
      ...deps,
      ...ports,
      // A dead process waits for nothing.
      async pause(...args) {
        requireLife();
        await deps.pause(...args);
        requireLife();
      },
    },
    calls,
    get isDead() {
      return isDead;
    },
  };
}
