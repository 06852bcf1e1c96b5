/** The call that the benchmarks of `emit` make. */
import type { Call } from "./child.ts";

/** An agent's message of some 300 bytes. */
const DATA = {
  text: "The parcel 4711 has not arrived. The customer asks where it is, and whether it can be sent to another address.",
  conversation: "support-0815",
  language: "en",
  attempt: 1,
  tags: ["parcel", "address"],
};

/** @param agents in turn: so many that none of them is slowed for calling too often */
export const emitCall = (agents: number): Call => ({
  path: "/events",
  body: JSON.stringify({ type: "MESSAGE_RECEIVED", data: DATA }),
  agents,
});
