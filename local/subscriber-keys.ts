/** The keys by which the deployed subscribers of one run are known: made of a secret that lives and dies with it. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { nameInKey, writeKey } from "../shared/agents/key.ts";

export interface SubscriberKeys {
  /** In the form of an agent's key. */
  keyOf(subscriber: string): string;
  /** The name of the subscriber whose key it is; null for any other key. */
  subscriberOf(key: string): string | null;
}

export function createSubscriberKeys(): SubscriberKeys {
  const secret = randomBytes(32);
  const keyOf = (subscriber: string): string =>
    writeKey(subscriber, createHmac("sha256", secret).update(subscriber).digest("base64url"));
  return {
    keyOf,
    subscriberOf(key) {
      const name = nameInKey(key);
      if (name === null) return null;
      // Both have the form of a key with this name, and so the same length.
      return timingSafeEqual(Buffer.from(keyOf(name)), Buffer.from(key)) ? name : null;
    },
  };
}
