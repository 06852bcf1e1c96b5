/** A sender of webhooks that calls nobody: what the endpoints say is scripted by URL. */
import type { WebhookCall, WebhookOutcome, WebhookSender } from "../../shared/webhooks/port.ts";

export const HOOK = "https://agent.example.com/hook";

/** What an endpoint says to a call, or does when it is called. */
export type Reply = WebhookOutcome | ((call: WebhookCall) => Promise<WebhookOutcome>);

const ELAPSED_MS = 12;

/** 200, with a body where there is one. */
export const accepts = (body?: object | string): WebhookOutcome => ({
  kind: "delivered",
  status: 200,
  body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
  elapsedMs: ELAPSED_MS,
});

/** A status that is no success. */
export const fails = (status: number, retryAfterMs?: number): WebhookOutcome => ({
  kind: "failed",
  reason: `HTTP ${status}`,
  status,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  elapsedMs: ELAPSED_MS,
});

/** No answer at all. */
export const refusesConnections: WebhookOutcome = {
  kind: "failed",
  reason: "the connection was refused",
  elapsedMs: ELAPSED_MS,
};

export class ScriptedWebhooks implements WebhookSender {
  readonly checked: string[] = [];
  readonly calls: WebhookCall[] = [];
  private readonly refusals = new Map<string, string>();
  private readonly replies = new Map<string, Reply[]>();

  /** From now on a URL may not be called. */
  refuse(url: string, reason: string): void {
    this.refusals.set(url, reason);
  }

  /** What the endpoint of a URL says from now on: one after the other, the last again and again. */
  script(url: string, ...replies: readonly Reply[]): void {
    this.replies.set(url, [...replies]);
  }

  async check(url: string): Promise<string | null> {
    this.checked.push(url);
    return this.refusals.get(url) ?? null;
  }

  async send(call: WebhookCall): Promise<WebhookOutcome> {
    this.calls.push(call);
    const script = this.replies.get(call.url) ?? [];
    const reply = (script.length > 1 ? script.shift() : script[0]) ?? accepts();
    return typeof reply === "function" ? reply(call) : reply;
  }

  /** The bodies that were posted, as JSON. */
  get bodies(): Record<string, unknown>[] {
    return this.calls.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  }
}
