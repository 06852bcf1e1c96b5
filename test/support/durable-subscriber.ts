/**
 * A program that subscribes durably and writes down each event that it has handled: for tests that kill it.
 *
 * Arguments: the bus's URL, the subscription's name, the file to append to.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentEventBus } from "../../client/agent-event-bus.ts";

const [url = "", name = "", file = ""] = process.argv.slice(2);

await new AgentEventBus({ url }).subscribe(
  "MESSAGE_PROCESSED",
  async (event) => {
    // Long enough that there are always some in the middle.
    await sleep(5);
    appendFileSync(file, `${event.id}\n`);
  },
  // What is taken by a process that dies comes again soon.
  { durable: name, visibility: 2, maxAttempts: 20 },
);
console.log("subscribed");
