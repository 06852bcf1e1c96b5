/** All benchmarks, in the order of their goals. */
import type { Benchmark } from "./contract.ts";
import { REQUEST_REPLY } from "./p5-request-reply/benchmark.ts";
import { HISTORY } from "./p6-history/benchmark.ts";
import { FAN_OUT } from "./p8-fan-out/benchmark.ts";
import { DEADLINES } from "./r10-deadlines/benchmark.ts";

export const BENCHMARKS: readonly Benchmark[] = [REQUEST_REPLY, HISTORY, FAN_OUT, DEADLINES];
