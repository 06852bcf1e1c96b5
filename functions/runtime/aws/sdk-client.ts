/** What all clients of the SDK are made with. */

/**
 * One retrying layer, and it is the client's: two tries, so that a fault is never multiplied (I10). The SDK's own default
 * is to wait for an answer for ever, as on a socket that died while the function was frozen; the services answer in tens
 * of milliseconds.
 */
export const SDK_CLIENT = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;
