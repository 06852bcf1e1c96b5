/** One agent answers, another asks. Start the bus first: `npm run dev`. Then: `npx tsx examples/hello.ts` */
import { AgentEventBus } from "../client/agent-event-bus.ts";

const bus = new AgentEventBus();

const reviewer = await bus.subscribe("UPGRADE_REQUESTED", (event) => ({
  approved: event.data.to_version !== "2.0.0-beta",
}));
const outcome = await bus.emitAndWait("UPGRADE_REQUESTED", { target: "billing", to_version: "2.0.0" }, { timeout: 5 });

console.log(outcome.status, outcome.response, `after ${outcome.elapsed_ms} ms`);
await reviewer.close();
