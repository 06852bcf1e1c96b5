/** Who takes part in every simulated run. */
import type { BusDeclaration } from "../../../shared/bus-config.ts";
import { derivedId } from "../../../shared/hash.ts";

/** Agents that call the bus. */
export const AGENTS = ["ada", "ben", "cem", "dora"] as const;

/** Answered by deployed subscribers and by run-time ones; by run-time ones only; observed only; wanted by nobody. */
export const TYPES = ["CONTEXT_REQUESTED", "UPGRADE_REQUESTED", "MESSAGE_RECEIVED", "SESSION_CREATED"] as const;

export const BUS: BusDeclaration = {
  subscribers: [
    { name: "alice", on: "CONTEXT_REQUESTED", handler: "alice.ts", via: "direct" },
    { name: "bob", on: ["CONTEXT_REQUESTED", "MESSAGE_RECEIVED"], handler: "bob.ts", via: "queue" },
    { name: "watcher", on: "MESSAGE_RECEIVED", handler: "watcher.ts", via: "queue", answers: false },
  ],
};

/** A subscription that an agent may have: always under the same name. */
export interface Slot {
  readonly owner: string;
  readonly name: string;
  readonly kind: "queue" | "webhook";
  readonly subscriptionId: string;
}

const slot = (owner: string, name: string, kind: Slot["kind"]): Slot => ({
  owner,
  name,
  kind,
  subscriptionId: derivedId("subscription", owner, name),
});

export const SLOTS: readonly Slot[] = [
  slot("ada", "ada-queue", "queue"),
  slot("ben", "ben-queue", "queue"),
  slot("ben", "ben-hook", "webhook"),
  slot("cem", "cem-hook", "webhook"),
  slot("dora", "dora-queue", "queue"),
];

export const hookUrl = ({ name }: Pick<Slot, "name">): string => `https://${name}.example.com/hook`;
