import { afterAll } from "vitest";
import { openEmbeddedStore } from "../support/embedded-store.ts";
import { MemoryEventStore } from "../support/memory-event-store.ts";
import { eventStoreContract } from "./event-store.suite.ts";

eventStoreContract({ name: "in memory, which simulations use", open: async () => new MemoryEventStore() });

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

eventStoreContract({
  name: "of the embedded run",
  open: async () => {
    const { store, close } = await openEmbeddedStore();
    closing.push(close);
    return store;
  },
});
