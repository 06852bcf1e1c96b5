/**
 * `npm run demo -- "some text"`: a small conversation between agents, from nothing.
 *
 * Starts a bus of its own with the agents of `examples/bus.config.ts`, sends the text in, waits until the agents are
 * done with it, and prints the conversation.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentEventBus } from "../client/agent-event-bus.ts";
import { startEmbeddedBus } from "../local/host.ts";
import { projectPath } from "../local/project.ts";
import type { EventTypesOf } from "../shared/bus-config.ts";
import type { EventWithResponses } from "../shared/history.ts";
import type config from "./bus.config.ts";
import { timeline } from "./timeline.ts";

const USAGE = `Sends a message to the example agents and prints their conversation.

Usage: npm run demo -- "Where is my parcel??"
       echo "Where is my parcel??" | npm run demo`;

/** What the agents may take. */
const DONE_WITHIN_MS = 30_000;

type EventTypes = EventTypesOf<typeof config>;

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args[0] === "--help" || args[0] === "-h") {
    console.log(USAGE);
    return 0;
  }
  const option = args.find((arg) => arg.startsWith("--"));
  if (option !== undefined) {
    console.error(`There is no option ${option}.\n\n${USAGE}`);
    return 1;
  }
  const text = args.length > 0 ? args.join(" ") : process.stdin.isTTY ? "" : await readStandardInput();
  if (text.trim() === "") {
    console.error(USAGE);
    return 1;
  }

  const agentLines: string[] = [];
  const dataDir = await mkdtemp(join(tmpdir(), "agent-event-bus-demo-"));
  try {
    const local = await startEmbeddedBus({
      port: 0,
      dataDir,
      configPath: projectPath("examples/bus.config.ts"),
      log: (line) => agentLines.push(line),
    });
    try {
      const bus = new AgentEventBus<EventTypes>({ url: local.url });
      const conversation = crypto.randomUUID();
      const isDone = await converse(bus, conversation, text);
      await print(bus, conversation);
      if (isDone) return 0;
      console.error(`\nThe conversation was not over after ${DONE_WITHIN_MS / 1000} s.`);
      for (const line of agentLines) console.error(line);
      return 1;
    } finally {
      await local.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Sends the message; true when the agents were done with it in time. */
async function converse(bus: AgentEventBus<EventTypes>, conversation: string, text: string): Promise<boolean> {
  let done: (inTime: boolean) => void = () => {};
  const outcome = new Promise<boolean>((resolve) => {
    done = resolve;
  });
  // Listening before speaking, so that nothing is missed.
  const listener = await bus.subscribe("MESSAGE_PROCESSED", () => done(true), {
    correlationId: conversation,
    answers: false,
  });
  const timer = setTimeout(() => done(false), DONE_WITHIN_MS);
  try {
    await bus.emit(
      "MESSAGE_RECEIVED",
      { text, channel: "command line" },
      { correlationId: conversation, agentType: "you" },
    );
    return await outcome;
  } finally {
    clearTimeout(timer);
    // Left open, it would go on connecting to a bus that is gone, and the process would never end.
    await listener.close();
  }
}

async function print(bus: AgentEventBus<EventTypes>, conversation: string): Promise<void> {
  const events: EventWithResponses[] = [];
  for await (const { id } of bus.history({ correlationId: conversation, order: "asc" }))
    events.push(await bus.getEvent(id));

  const color = process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "";
  const agents = new Set(
    events.flatMap(({ event, responses }) => [
      event.agent_type ?? event.source,
      ...responses.map(({ responder }) => responder),
    ]),
  );
  console.log(`\nConversation ${conversation}: ${events.length} events, ${[...agents].join(", ")}\n`);
  for (const line of timeline(events, { color, width: process.stdout.columns ?? 160 })) console.log(line);
  console.log();
  for (const [label, type] of [
    ["Message", "LANGUAGE_NORMALIZED"],
    ["Reply", "REPLY_DRAFTED"],
  ] as const)
    for (const { event } of events) if (event.type === type) console.log(`${label}: ${String(event.data.text)}`);
}

async function readStandardInput(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`The demo could not run: ${(error as Error).message}`);
  process.exitCode = 1;
}
