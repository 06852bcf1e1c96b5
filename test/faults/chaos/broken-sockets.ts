/** Clients whose connections break in the middle of a call (N15). */
import type { Fetch } from "../../../client/transport.ts";
import type { Seeded } from "../proxy/seeded.ts";

export interface BreakingFetch {
  readonly fetch: Fetch;
  /** From the next call on: how likely a call's socket is destroyed. */
  setRate(rate: number): void;
  readonly broken: number;
}

/** The longest that a call may go on before its socket is destroyed. */
const LONGEST_MS = 400;

export function breakingFetch(random: Seeded): BreakingFetch {
  let rate = 0;
  let broken = 0;
  return {
    async fetch(url, init) {
      if (!random.happens(rate)) return globalThis.fetch(url, init);
      const socket = new AbortController();
      const signal = init.signal ? AbortSignal.any([init.signal, socket.signal]) : socket.signal;
      const timer = setTimeout(
        () => {
          broken++;
          socket.abort(new Error("the socket was destroyed"));
        },
        random.between(0, LONGEST_MS),
      );
      try {
        const response = await globalThis.fetch(url, { ...init, signal });
        // A stream goes on until it is broken; anything else is read at once.
        if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
          const text = await response.text();
          clearTimeout(timer);
          const body = response.status === 204 ? null : text;
          return new Response(body, { status: response.status, headers: response.headers });
        }
        return response;
      } catch (error) {
        init.signal?.throwIfAborted();
        throw new TypeError("fetch failed", { cause: error });
      }
    },
    setRate(next) {
      rate = next;
    },
    get broken() {
      return broken;
    },
  };
}
