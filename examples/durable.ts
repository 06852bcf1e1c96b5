/**
 * A subscriber that misses nothing. Start the bus first: `npm run dev`. Then: `npx tsx examples/durable.ts`, as often as
 * you like: what was published while it was away is waiting for it, and what failed comes again.
 */
import { AgentEventBus } from "../client/agent-event-bus.ts";

const bus = new AgentEventBus();

const reviewer = await bus.subscribe(
  "UPGRADE_REQUESTED",
  (event, { attempt }) => {
    console.log(`upgrade of ${event.data.target ?? "something"} to ${event.data.to_version}, attempt ${attempt}`);
    if (event.data.target === "crm" && attempt === 1) throw new Error("the reviewer is at lunch");
    return { approved: true };
  },
  { durable: "reviewer", filter: { data: { target: ["billing", "crm"] } } },
);
process.once("SIGINT", () => void reviewer.close());

const outcome = await bus.emitAndWait("UPGRADE_REQUESTED", { target: "crm", to_version: "2.0.0" }, { timeout: 20 });
console.log(outcome.status, outcome.response, `after ${outcome.elapsed_ms} ms. Stop with Ctrl-C.`);
await reviewer.closed;
