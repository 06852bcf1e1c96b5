/** Calling the endpoints of webhooks, as the domain sees it. */

export interface WebhookCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of one call. */
export type WebhookOutcome =
  | {
      readonly kind: "delivered";
      /** 200 to 299. */
      readonly status: number;
      /** The text of an answer that is JSON by its type, or has no type; null for any other, an empty one, and one over 64 KiB. */
      readonly body: string | null;
      readonly elapsedMs: number;
    }
  | {
      readonly kind: "failed";
      /** A few words for the endpoint's owner: `HTTP 503`, `no answer within 15 s`, `the connection was refused`. */
      readonly reason: string;
      /** Absent when there was no whole answer. */
      readonly status?: number;
      /** How long the endpoint asks to be left alone (`Retry-After`); not bounded. */
      readonly retryAfterMs?: number;
      readonly elapsedMs: number;
    };

export interface WebhookSender {
  /**
   * Why a URL may not be called, in a few words for whoever wants it called; null when it may. Resolves its name: one
   * that cannot be resolved now is a reason too. Never throws.
   */
  check(url: string): Promise<string | null>;
  /** One POST. Never throws: what cannot be sent has failed. Checks the URL again. */
  send(call: WebhookCall): Promise<WebhookOutcome>;
}
