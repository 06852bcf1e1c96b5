/** What the bus under test and the run say to each other. */

export type ToBus =
  /** The wall clock is so much ahead, from now on. */
  | { readonly kind: "move-clock"; readonly offsetMs: number }
  /** The thread of the store ends, as if it had fallen over. */
  | { readonly kind: "end-store" }
  /** The proxy knows where the store is. */
  | { readonly kind: "go-on" };

export type FromBus =
  | { readonly kind: "store"; readonly endpoint: string }
  | { readonly kind: "ready"; readonly url: string };
