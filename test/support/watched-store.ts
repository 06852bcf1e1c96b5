/** A store that tells what was read from it and written to it. */
import type { EventStore } from "../../shared/ports.ts";

const WRITES = /^(put|create|replace|mark|accept|end|note|delete|bump|lease|add)/;

export interface WatchedStore {
  readonly store: EventStore;
  /** The names of the methods that were called since this was last asked, in order. */
  taken(): { readonly reads: readonly string[]; readonly writes: readonly string[] };
}

export function watched(store: EventStore): WatchedStore {
  let calls: string[] = [];
  return {
    store: new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          calls.push(String(name));
          return member.apply(target, args) as unknown;
        };
      },
    }),
    taken() {
      const seen = calls;
      calls = [];
      return { reads: seen.filter((name) => !WRITES.test(name)), writes: seen.filter((name) => WRITES.test(name)) };
    },
  };
}
