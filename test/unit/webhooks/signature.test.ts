import { randomBytes } from "node:crypto";
import fc from "fast-check";
import * as official from "standardwebhooks";
import * as svix from "svix";
import { describe, expect, it } from "vitest";
import { newWebhookSecret, webhookHeaders } from "../../../shared/webhooks/signature.ts";

const body = '{"type":"PING","data":{"note":"Grüße, \u{1F600}"}}';
const now = (): number => Math.floor(Date.now() / 1_000);
const freshSecret = (): string => newWebhookSecret(randomBytes(24));

const libraries = [
  { library: "standardwebhooks", Webhook: official.Webhook },
  { library: "svix", Webhook: svix.Webhook },
] as const;

describe.each(libraries)("a receiver that verifies with $library", ({ Webhook }) => {
  it("takes what the bus signed, and finds the body as it was sent", () => {
    const secret = freshSecret();
    const headers = webhookHeaders({ id: "msg_1", timestampSeconds: now(), body, secrets: [secret] });
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  });

  it("takes it with the new secret and with the old one while a secret is being replaced", () => {
    const [fresh, previous] = [freshSecret(), freshSecret()];
    const headers = webhookHeaders({ id: "msg_1", timestampSeconds: now(), body, secrets: [fresh, previous] });
    expect(new Webhook(fresh).verify(body, headers)).toEqual(JSON.parse(body));
    expect(new Webhook(previous).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(freshSecret()).verify(body, headers)).toThrow("No matching signature");
  });

  it("refuses another body, id or time, and a secret that is over", () => {
    const [fresh, previous] = [freshSecret(), freshSecret()];
    const seconds = now();
    const headers = webhookHeaders({ id: "msg_1", timestampSeconds: seconds, body, secrets: [fresh] });
    const receiver = new Webhook(fresh);
    expect(() => receiver.verify(`${body} `, headers)).toThrow("No matching signature");
    expect(() => receiver.verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow("No matching signature");
    const later = { ...headers, "webhook-timestamp": String(seconds + 1) };
    expect(() => receiver.verify(body, later)).toThrow("No matching signature");
    expect(() => new Webhook(previous).verify(body, headers)).toThrow("No matching signature");
  });

  it("would have signed the very same, whatever the secret, the id and the body", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
        fc.integer({ min: 0, max: 4_102_444_800 }),
        fc.string({ unit: "binary" }),
        (bytes, id, timestampSeconds, text) => {
          const secret = newWebhookSecret(bytes);
          const theirs = new Webhook(secret).sign(id, new Date(timestampSeconds * 1_000), text);
          expect(webhookHeaders({ id, timestampSeconds, body: text, secrets: [secret] })).toEqual({
            "webhook-id": id,
            "webhook-timestamp": String(timestampSeconds),
            "webhook-signature": theirs,
          });
        },
      ),
    );
  });

  it("would have signed the very same with each of two secrets, in their order", () => {
    const [fresh, previous] = [freshSecret(), freshSecret()];
    const theirs = [fresh, previous].map((secret) =>
      new Webhook(secret).sign("msg_1", new Date(1_700_000_000_000), body),
    );
    const ours = webhookHeaders({ id: "msg_1", timestampSeconds: 1_700_000_000, body, secrets: [fresh, previous] });
    expect(ours["webhook-signature"]).toBe(theirs.join(" "));
  });
});

describe("signing a webhook", () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const message = { id: "msg_1", timestampSeconds: 1_700_000_000, body, secrets: [secret] };

  it("gives the signature of the libraries' own example", () => {
    const headers = webhookHeaders({
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestampSeconds: 1_614_265_330,
      body: '{"test": 2432232314}',
      secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    });
    expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("never sends anything unsigned", () => {
    expect(() => webhookHeaders({ ...message, secrets: [] })).toThrow("needs a secret");
  });

  it("refuses an id with a full stop, with which another text would have the same signature", () => {
    expect(() => webhookHeaders({ ...message, id: "msg.1" })).toThrow("full stop");
  });

  it.each([
    ["without its prefix", secret.slice("whsec_".length)],
    ["too short", `whsec_${Buffer.alloc(23).toString("base64")}`],
    ["too long", `whsec_${Buffer.alloc(65).toString("base64")}`],
    ["empty", "whsec_"],
  ])("refuses a secret that is %s, and does not quote it", (_, malformed) => {
    const signing = () => webhookHeaders({ ...message, secrets: [malformed] });
    expect(signing).toThrow("malformed");
    expect(signing).not.toThrow(malformed === "whsec_" ? /whsec_/ : malformed);
  });
});

describe("a new secret", () => {
  it.each([24, 32, 64])("carries %i random bytes as they are", (length) => {
    const bytes = randomBytes(length);
    const secret = newWebhookSecret(bytes);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
    expect(Buffer.from(secret.slice("whsec_".length), "base64")).toEqual(bytes);
  });

  it.each([0, 23, 65])("is not made of %i bytes", (length) => {
    expect(() => newWebhookSecret(randomBytes(length))).toThrow(RangeError);
  });
});
