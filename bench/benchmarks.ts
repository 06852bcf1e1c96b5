/** All benchmarks, in the order of their goals. */
import type { Benchmark } from "./contract.ts";

export const BENCHMARKS: readonly Benchmark[] = [];
