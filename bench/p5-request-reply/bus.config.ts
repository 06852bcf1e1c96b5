/** The bus as it is measured: one type that is asked of a live stream, one that is asked of a deployed subscriber. */
import { defineBus } from "../../shared/bus-config.ts";

const config = defineBus({
  eventTypes: { BENCH_LIVE: { group: "bench" }, BENCH_DIRECT: { group: "bench" } },
  // Here all calls come from one agent, which is to be as fast as it can.
  limits: { ratePerAgent: { perSecond: 10_000, burst: 50_000 }, openWaitsPerAgent: 10_000 },
  subscribers: [
    { name: "bench-direct", on: "BENCH_DIRECT", handler: "bench/p5-request-reply/agents/direct.ts", via: "direct" },
  ],
});

export default config;
