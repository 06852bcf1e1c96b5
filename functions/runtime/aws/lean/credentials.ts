/** Who a function is: what Lambda gives it, or what it is told when it asks, again before that expires. */
import type { Identity } from "../config.ts";
import { askForCredentials } from "./credentials-endpoint.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Epoch milliseconds; absent where they live as long as their environment. */
  readonly expiresAtMs?: number;
}

export interface CredentialSource {
  /** A promise only when they have to be waited for. @throws (or rejects) Error when there are none */
  current(): Credentials | Promise<Credentials>;
  /** The service says that these have expired. Whether there may be others now. */
  refused(credentials: Credentials): boolean;
}

/** New ones are asked for so long before the old ones expire: meanwhile these are used, and nobody waits. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** With less than this left a call might arrive too late with them. */
const USABLE_MS = 30_000;
/** An endpoint that failed is left alone for so long, while the old ones do. */
const PAUSE_AFTER_FAILURE_MS = 1_000;

export function credentialsOf(identity: Identity): CredentialSource {
  if (identity.kind === "asked") return new AskedCredentials(() => askForCredentials(identity));
  const { kind: _, ...given } = identity;
  return { current: () => given, refused: () => false };
}

/** Credentials that are asked for, by whoever needs them first for all. */
export class AskedCredentials implements CredentialSource {
  private readonly ask: () => Promise<Credentials>;
  private readonly now: () => number;
  private held: Credentials | null = null;
  private asking: Promise<Credentials> | null = null;
  private notBeforeMs = 0;

  /** @param now epoch milliseconds */
  constructor(ask: () => Promise<Credentials>, now: () => number = Date.now) {
    this.ask = ask;
    this.now = now;
  }

  current(): Credentials | Promise<Credentials> {
    const { held } = this;
    const leftMs = held === null ? 0 : (held.expiresAtMs ?? Number.POSITIVE_INFINITY) - this.now();
    if (held === null || leftMs <= 0) return this.renewed();
    if (leftMs > RENEW_BEFORE_MS) return held;
    const renewal = this.now() < this.notBeforeMs ? null : this.renewed();
    if (renewal === null) return held;
    // A renewal that fails is no matter while the old ones do.
    const either = renewal.catch(() => held);
    return leftMs > USABLE_MS ? held : either;
  }

  refused(credentials: Credentials): boolean {
    // Another call may have had them replaced already.
    if (this.held === credentials) this.held = null;
    return true;
  }

  private renewed(): Promise<Credentials> {
    this.asking ??= this.ask()
      .then((fresh) => {
        this.held = fresh;
        return fresh;
      })
      .catch((error: unknown) => {
        this.notBeforeMs = this.now() + PAUSE_AFTER_FAILURE_MS;
        throw error;
      })
      .finally(() => {
        this.asking = null;
      });
    return this.asking;
  }
}
