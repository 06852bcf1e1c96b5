/**
 * Signatures of outgoing webhooks as Standard Webhooks say (https://www.standardwebhooks.com), scheme `v1`: HMAC-SHA-256
 * over id, time and body. Receivers verify them with any library for it.
 */
import { fromBase64, toBase64 } from "../base64url.ts";
import { hmacSha256Bytes } from "../hash.ts";

/** What a secret begins with, so that it is recognised for what it is wherever it turns up. */
const SECRET_PREFIX = "whsec_";

/** The bytes of a secret, by the same specification. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

export interface WebhookMessage {
  /** The same whenever the message is sent again. Without a full stop, which would make the signed text ambiguous. */
  readonly id: string;
  /** When this attempt is made, in whole seconds since the epoch. */
  readonly timestampSeconds: number;
  /** Exactly as it is sent. */
  readonly body: string;
  /** Each signs: while a secret is being replaced, receivers know the one or the other. */
  readonly secrets: readonly string[];
}

export interface WebhookHeaders extends Readonly<Record<string, string>> {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** @throws Error when there is no secret, one is malformed, or the id has a full stop */
export function webhookHeaders({ id, timestampSeconds, body, secrets }: WebhookMessage): WebhookHeaders {
  if (id.includes(".")) throw new Error(`The id of a webhook message has a full stop: ${id}`);
  if (secrets.length === 0) throw new Error("A webhook message needs a secret to be signed with.");
  const signed = `${id}.${timestampSeconds}.${body}`;
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": secrets.map((secret) => `v1,${toBase64(hmacSha256Bytes(keyOf(secret), signed))}`).join(" "),
  };
}

/**
 * A secret as receivers are given it: `whsec_` and base64.
 *
 * @param randomBytes 24 to 64 of them
 * @throws RangeError when there are fewer or more
 */
export function newWebhookSecret(randomBytes: Uint8Array): string {
  if (!isSecretLength(randomBytes))
    throw new RangeError(`${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes were expected, got ${randomBytes.length}.`);
  return `${SECRET_PREFIX}${toBase64(randomBytes)}`;
}

function keyOf(secret: string): Uint8Array {
  const key = secret.startsWith(SECRET_PREFIX) ? fromBase64(secret.slice(SECRET_PREFIX.length)) : new Uint8Array();
  // The message does not quote it: it would stand in a log.
  if (!isSecretLength(key)) throw new Error("A secret for signing webhooks is malformed.");
  return key;
}

const isSecretLength = ({ length }: Uint8Array): boolean => length >= MIN_SECRET_BYTES && length <= MAX_SECRET_BYTES;
