/** Events as they come: `GET /events/stream`. */
import type { Operation } from "../routes.ts";
import { DELIVERED_EXAMPLE } from "./events.ts";
import { SELECTION } from "./look.ts";
import { eventStream, header, type OperationDescription, query } from "./operation.ts";
import { name, ref } from "./schema.ts";

export const STREAM_OPERATIONS = {
  stream: {
    tag: "look back",
    summary: "Events as they come, as server-sent events.",
    description:
      "First comes a block with only an `id`: the stream is open. The server ends it before its own time is up; go on " +
      "from the last `id`. Where a response is handed over only at its end, it answers 503 with `retryable: false`.",
    parameters: [
      ...SELECTION.filter(({ name }) => name !== "agent_type"),
      query("as", name(""), "The stream counts as a subscriber of this name while it is open."),
      query("after", { type: "string" }, "Goes on after this `id`, without a gap."),
      header("Last-Event-ID", { type: "string" }, "The same, as browsers send it; it goes before `after`."),
    ],
    answers: {
      200: {
        description: "The stream.",
        content: eventStream(
          "Each is a delivered event with its `reply_to`, and its `id` is a cursor. A comment comes every 15 s.",
          { message: ref("DeliveredEvent") },
          `id: MDE5N.4f1d\n\nid: MDE5O.9b02\ndata: ${JSON.stringify(DELIVERED_EXAMPLE)}\n\n`,
        ),
      },
    },
    failures: ["invalid_request", "unknown_event_type"],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
