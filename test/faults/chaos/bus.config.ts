/** The bus that the chaos run goes against: types of its own, and deployed subscribers that say what they get. */
import { defineBus } from "../../../shared/bus-config.ts";

const TYPES = [
  // Published; nobody answers.
  "CHAOS_NOTE",
  "CHAOS_PLAIN",
  "CHAOS_ALARM",
  // Asked: of deployed subscribers, of all of them and a queue, of a live stream, of a webhook, of nobody.
  "CHAOS_QUESTION",
  "CHAOS_POLL",
  "CHAOS_LIVE",
  "CHAOS_HOOKED",
  "CHAOS_SILENT",
  // What a subscriber emits when it gets a note.
  "CHAOS_FOLLOW_UP",
  // Two that answer each other for ever, if nobody stops them.
  "CHAOS_TICK",
  "CHAOS_TOCK",
  // For webhooks that misbehave.
  "CHAOS_CALL",
] as const;

const agent = (name: string): string => `test/faults/chaos/agents/${name}.ts`;

const config = defineBus({
  eventTypes: Object.fromEntries(TYPES.map((name) => [name, { group: "chaos" }])),
  // A held call comes back pending after a second: most waits go over several calls.
  // All agents are one here, and as fast as they can be.
  limits: { holdSeconds: 1, ratePerAgent: { perSecond: 10_000, burst: 50_000 }, openWaitsPerAgent: 10_000 },
  subscribers: [
    { name: "note-taker", on: "CHAOS_NOTE", handler: agent("note-taker"), via: "queue", answers: false },
    { name: "siren", on: "CHAOS_ALARM", handler: agent("observer"), via: "direct", answers: false },
    {
      name: "reader",
      on: ["CHAOS_FOLLOW_UP", "CHAOS_PLAIN"],
      handler: agent("observer"),
      via: "queue",
      answers: false,
    },
    { name: "quick", on: "CHAOS_QUESTION", handler: agent("answerer"), via: "direct" },
    { name: "careful", on: "CHAOS_POLL", handler: agent("answerer"), via: "queue" },
    { name: "prompt", on: "CHAOS_POLL", handler: agent("answerer"), via: "direct" },
    { name: "tick", on: "CHAOS_TICK", handler: agent("tick"), via: "queue", answers: false },
    { name: "tock", on: "CHAOS_TOCK", handler: agent("tick"), via: "queue", answers: false },
  ],
});

export default config;
