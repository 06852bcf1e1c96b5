/** P2: what a warm emit costs of the processor. */
import type { Benchmark } from "../contract.ts";
import { measureWarmEmits, warmSeries } from "../played-lambda/warm-emit.ts";

export const WARM_EMIT: Benchmark = {
  goal: "P2",
  title: "CPU of a warm emit, 32 at once",
  method:
    "Environments that have served 2,000 emits serve 1,280 more a round, 32 at once, in turn, against the same stand-in over HTTPS. Counted is " +
    "the CPU time of the function's process for each emit, with what it does after its answer.",
  async run(context) {
    const { lean, sdk, bare } = await measureWarmEmits(context);
    const beside = warmSeries("bare", bare, "CPU ms");
    return {
      figures: [
        {
          title: "CPU of a warm emit",
          ours: warmSeries("lean", lean, "CPU ms"),
          beside,
          goal: { bound: "at most", value: 1, further: 0.25 },
        },
        {
          title: "CPU of a warm emit, with the SDK",
          ours: warmSeries("sdk", sdk, "CPU ms"),
          beside,
          goal: { bound: "at most", value: 1 },
          note: "it checks, hashes, charges and recognises repetitions, which the bare clients do not",
        },
      ],
    };
  },
};
