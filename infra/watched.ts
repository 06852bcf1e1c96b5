/** What is watched. */
import type { Api } from "./api.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Dispatch } from "./dispatch.ts";
import type { EventTable } from "./event-table.ts";
import type { Reconciler } from "./reconciler.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Webhooks } from "./webhooks.ts";

export interface Watched {
  readonly table: EventTable;
  /** The names of the catalogue. */
  readonly eventTypes: readonly string[];
  readonly api: Api;
  readonly reconciler: Reconciler;
  readonly dispatch: Dispatch;
  readonly webhooks: Webhooks;
  readonly deadLetters: DeadLetters;
  readonly subscribers: readonly Subscriber[];
}
