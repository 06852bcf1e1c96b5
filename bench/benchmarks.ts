/** All benchmarks, in the order of their goals. */
import type { Benchmark } from "./contract.ts";
import { REQUEST_REPLY } from "./p5-request-reply/benchmark.ts";
import { FAN_OUT } from "./p8-fan-out/benchmark.ts";
import { DEADLINES } from "./r10-deadlines/benchmark.ts";

export const BENCHMARKS: readonly Benchmark[] = [REQUEST_REPLY, FAN_OUT, DEADLINES];
