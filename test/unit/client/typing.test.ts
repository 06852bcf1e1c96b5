/** What the compiler accepts: checked by `npm run typecheck`, whatever happens at run time. */
import { describe, expectTypeOf, it } from "vitest";
import type { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { SubscriberContext } from "../../../client/context.ts";
import { subscriber } from "../../../client/subscriber.ts";
import type config from "../../../examples/bus.config.ts";
import type { EventTypesOf } from "../../../shared/bus-config.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import type { MessageReceived } from "../../../shared/event-types/process.ts";
import type { JsonObject } from "../../../shared/json.ts";

/** Only looked at by the compiler: nothing is called. */
const onlyTyped = (_: () => unknown): void => undefined;
declare const bus: AgentEventBus;
declare const ownBus: AgentEventBus<EventTypesOf<typeof config>>;

describe("types", () => {
  it("know data by event type, and refuse unknown types", () => {
    onlyTyped(() => bus.emit("MESSAGE_RECEIVED", { text: "hello" }));
    // @ts-expect-error text is a string
    onlyTyped(() => bus.emit("MESSAGE_RECEIVED", { text: 7 }));
    // @ts-expect-error a misspelt type
    onlyTyped(() => bus.emit("MESSAGE_RECIEVED", {}));
    // @ts-expect-error a wait needs a timeout
    onlyTyped(() => bus.emitAndWait("CONTEXT_REQUESTED", {}, {}));
    // @ts-expect-error data of another type in a batch
    onlyTyped(() => bus.emitBatch([{ type: "UPGRADE_COMPLETED", data: { succeeded: "yes" } }]));
  });

  it("know the deployment's own types beside the built-in ones", () => {
    onlyTyped(() => ownBus.emit("REPLY_DRAFTED", { text: "Dear Ada" }));
    onlyTyped(() => ownBus.emit("MESSAGE_RECEIVED", {}));
    // @ts-expect-error text is required by the schema
    onlyTyped(() => ownBus.emit("REPLY_DRAFTED", { tone: "warm" }));
  });

  it("tell outcomes apart by status", () => {
    type Outcome = Awaited<ReturnType<AgentEventBus["emitAndWait"]>>;
    expectTypeOf<Extract<Outcome, { status: "answered" }>["response"]>().toEqualTypeOf<JsonObject>();
    expectTypeOf<Extract<Outcome, { status: "timed_out" }>["response"]>().toEqualTypeOf<null>();
    expectTypeOf<Outcome["status"]>().toEqualTypeOf<"answered" | "timed_out" | "cancelled" | "failed">();
  });

  it("give a callback its event: of one type, of several, or of any", () => {
    subscriber<"MESSAGE_RECEIVED">((event, context) => {
      expectTypeOf(event).toEqualTypeOf<DeliveredEvent<"MESSAGE_RECEIVED", MessageReceived>>();
      expectTypeOf(context).toEqualTypeOf<SubscriberContext>();
    });
    subscriber<"MESSAGE_RECEIVED" | "TRANSCRIPTION_COMPLETED">((event) => {
      if (event.type === "TRANSCRIPTION_COMPLETED")
        expectTypeOf(event.data.confidence).toEqualTypeOf<number | undefined>();
    });
    subscriber((event) => expectTypeOf(event).toEqualTypeOf<DeliveredEvent>() as unknown as undefined);
    subscriber<"REPLY_DRAFTED", EventTypesOf<typeof config>>((event) => {
      expectTypeOf(event.data.text).toEqualTypeOf<string>();
    });
    // @ts-expect-error a misspelt type
    onlyTyped(() => subscriber<"MESSAGE_RECIEVED">(() => ({})));
    // @ts-expect-error an answer is an object
    onlyTyped(() => subscriber(() => "text"));
  });

  it("give a live callback and a stream their event", () => {
    onlyTyped(() =>
      bus.subscribe(
        "MESSAGE_RECEIVED",
        (event) => expectTypeOf(event.data).toEqualTypeOf<MessageReceived>() as unknown as undefined,
      ),
    );
    onlyTyped(() => bus.subscribe("*", (event) => ({ seen: event.type })));
    expectTypeOf<ReturnType<typeof streamOfMessages>>().toEqualTypeOf<
      AsyncGenerator<DeliveredEvent<"MESSAGE_RECEIVED", MessageReceived>, void>
    >();
  });
});

describe("the types of subscriptions", () => {
  it("know which options go with a durable subscriber, and which with a live one", () => {
    onlyTyped(() => bus.subscribe("MESSAGE_RECEIVED", () => ({}), { durable: "a", filter: {}, visibility: 60 }));
    onlyTyped(() => bus.subscribe("*", () => undefined, { as: "a", correlationId: "c" }));
    // @ts-expect-error a durable subscriber is named by `durable`
    onlyTyped(() => bus.subscribe("*", () => undefined, { durable: "a", as: "b" }));
    // @ts-expect-error the live stream has no filter
    onlyTyped(() => bus.subscribe("*", () => undefined, { filter: {} }));
  });

  it("know the event types, and what a webhook and a queue are made of", () => {
    const target = { kind: "webhook", url: "https://agent.example.com/hook" } as const;
    onlyTyped(() => ownBus.createSubscription({ name: "a", eventTypes: ["REPLY_DRAFTED"], target }));
    // @ts-expect-error a misspelt type
    onlyTyped(() => bus.createSubscription({ name: "a", eventTypes: ["MESSAGE_RECIEVED"], target }));
    // @ts-expect-error a webhook needs its URL
    onlyTyped(() => bus.createSubscription({ name: "a", eventTypes: [], target: { kind: "webhook" } }));
    // @ts-expect-error a queue has none
    onlyTyped(() => bus.createSubscription({ name: "a", eventTypes: [], target: { kind: "queue", url: "https://x" } }));
    onlyTyped(() => bus.changeSubscription("s-1", { filter: null, status: "disabled", target: { visibility: 60 } }));
    expectTypeOf<Awaited<ReturnType<AgentEventBus["explain"]>>["subscribers"][number]["verdict"]>().toExtend<string>();
  });
});

const streamOfMessages = () => bus.stream({ type: "MESSAGE_RECEIVED" });
