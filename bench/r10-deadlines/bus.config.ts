/** The bus whose deadlines are measured: one type that nobody answers, one that is answered, to be busy with. */
import { defineBus } from "../../shared/bus-config.ts";

const config = defineBus({
  eventTypes: { BENCH_SILENT: { group: "bench" }, BENCH_LOAD: { group: "bench" } },
  // Here all calls come from one agent.
  limits: { ratePerAgent: { perSecond: 10_000, burst: 50_000 }, openWaitsPerAgent: 10_000 },
  subscribers: [
    { name: "bench-load", on: "BENCH_LOAD", handler: "bench/p5-request-reply/agents/direct.ts", via: "direct" },
  ],
});

export default config;
