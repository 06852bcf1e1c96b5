/** All benchmarks, in the order of their goals. */
import type { Benchmark } from "./contract.ts";
import { START } from "./p1-start/benchmark.ts";
import { WARM_EMIT } from "./p2-warm-emit/benchmark.ts";
import { CALLS } from "./p3-calls/benchmark.ts";
import { WAIT } from "./p4-wait/benchmark.ts";
import { REQUEST_REPLY } from "./p5-request-reply/benchmark.ts";
import { HISTORY } from "./p6-history/benchmark.ts";
import { THROUGHPUT } from "./p7-throughput/benchmark.ts";
import { FAN_OUT } from "./p8-fan-out/benchmark.ts";
import { DEADLINES } from "./r10-deadlines/benchmark.ts";

export const BENCHMARKS: readonly Benchmark[] = [
  START,
  WARM_EMIT,
  CALLS,
  WAIT,
  REQUEST_REPLY,
  HISTORY,
  THROUGHPUT,
  FAN_OUT,
  DEADLINES,
];
