/** Operations of agents that publish. */
import { emits } from "./events.ts";
import { type OperationUnderTest, TYPE } from "./operation.ts";
import { QUEUE, subscribeTo } from "./subscribing.ts";

export const PUBLISHING: readonly OperationUnderTest[] = [
  {
    name: "emit",
    async prepare(stage) {
      await subscribeTo(stage, QUEUE);
      return emits(stage, "an event");
    },
  },
  { name: "emit, with data that is kept apart", prepare: async (stage) => emits(stage, "large", "x".repeat(6_000)) },
  {
    name: "emit a batch",
    prepare: async (stage) => async (process) => {
      const events = ["one", "two", "three"].map((marker) => ({ type: TYPE, marker }));
      const body = { events: events.map(({ type, marker }) => ({ type, data: { marker } })) };
      const outcome = await stage.call(
        process,
        "asker",
        ["emitBatch", { events, key: "batch" }],
        ["POST", "/events", body, "batch"],
      );
      return outcome.kind === "ok" && outcome.answer.rejected === 0;
    },
  },
];
