/** P7: how many emits one environment does in a second. */
import type { Benchmark } from "../contract.ts";
import { measureWarmEmits, warmSeries } from "../played-lambda/warm-emit.ts";
import { distributionPicture } from "../report/charts.ts";

export const THROUGHPUT: Benchmark = {
  goal: "P7",
  title: "emits per second, 32 at once",
  method:
    "The rounds of P2 by the clock: 1,280 emits each, 32 at once, from one process on one core, the stand-in on the other. The stand-in is the " +
    "same for all sides and is asked three times an emit.",
  async run(context) {
    const { lean, sdk, bare } = await measureWarmEmits(context);
    const ours = warmSeries("lean", lean, "emits/s");
    const withSdk = warmSeries("sdk", sdk, "emits/s");
    const beside = warmSeries("bare", bare, "emits/s");
    return {
      figures: [
        { title: "emits per second", ours, beside, goal: { bound: "at least", value: 1, further: 4 } },
        { title: "emits per second, with the SDK", ours: withSdk, beside, goal: { bound: "at least", value: 1 } },
      ],
      pictures: [
        distributionPicture(
          { name: "p7-throughput", title: "Emits per second of one environment, 32 at once" },
          { x: { name: "emits per second" }, series: [ours, withSdk, beside] },
        ),
      ],
    };
  },
};
