import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestSigner } from "../../../functions/runtime/aws/lean/signature-v4.ts";

/** A text of printable characters without blanks, as keys and tokens are. */
const word = (max: number) =>
  fc.string({
    minLength: 1,
    maxLength: max,
    unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
  });
const service = fc.constantFrom("dynamodb", "events");
const region = fc.constantFrom("eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1", "local");
const credentials = fc.record(
  { accessKeyId: word(128), secretAccessKey: word(60), sessionToken: word(1_200) },
  { requiredKeys: ["accessKeyId", "secretAccessKey"] },
);
const request = fc.record({
  contentType: fc.constantFrom("application/x-amz-json-1.0", "application/x-amz-json-1.1"),
  target: word(60),
  body: fc.oneof(
    fc.constant(""),
    fc.json(),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("{}", '{"text":"grüße 🦆 \\u0000  "}', "\n\t \r\n", "x".repeat(100_000)),
  ),
});
const host = fc.constantFrom(
  "dynamodb.eu-central-1.amazonaws.com",
  "events.cn-north-1.amazonaws.com.cn",
  "127.0.0.1:4566",
  "[::1]:80",
);
/** From 2000 to 2099: leap days, ends of years and of days among them. */
const instants = fc.oneof(
  fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2099, 11, 31) }),
  fc.constantFrom("2024-02-29T23:59:59.999Z", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z").map(Date.parse),
);

/** Of headers as a list of names and values in turn. */
const authorizationOf = (headers: readonly string[]): string | undefined =>
  headers[headers.indexOf("authorization") + 1];

/** The SDK's signer on the same request. */
async function signedBySdk(
  place: { host: string; region: string; service: string },
  { contentType, target, body }: { contentType: string; target: string; body: string },
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  atMs: number,
): Promise<string | undefined> {
  const signer = new SignatureV4({
    credentials,
    region: place.region,
    service: place.service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const { headers } = await signer.sign(
    {
      method: "POST",
      protocol: "https:",
      hostname: place.host,
      path: "/",
      query: {},
      headers: { host: place.host, "content-type": contentType, "x-amz-target": target },
      body,
    },
    { signingDate: new Date(atMs) },
  );
  return headers["authorization"];
}

describe("a signature", () => {
  it("is the one that the SDK makes, for 3,000 requests of all kinds", async () => {
    // Each signs for many days and many secrets, in any order: a key that is kept too long shows.
    const signers = new Map<string, RequestSigner>();
    await fc.assert(
      fc.asyncProperty(
        host,
        region,
        service,
        credentials,
        request,
        instants,
        async (host, region, service, who, what, atMs) => {
          const place = { host, region, service };
          const signer = signers.get(JSON.stringify(place)) ?? new RequestSigner(place);
          signers.set(JSON.stringify(place), signer);
          const authorization = authorizationOf(signer.sign(what, who, atMs));
          expect(authorization).toBe(await signedBySdk(place, what, who, atMs));
          expect(authorizationOf(signer.sign(what, who, atMs))).toBe(authorization);
        },
      ),
      { numRuns: 3_000, seed: 14 },
    );
    expect(signers.size).toBe(40);
  });

  it("is made anew when the day or the secret is another", async () => {
    const place = { host: "dynamodb.eu-central-1.amazonaws.com", region: "eu-central-1", service: "dynamodb" };
    const signer = new RequestSigner(place);
    const what = { contentType: "application/x-amz-json-1.0", target: "DynamoDB_20120810.GetItem", body: "{}" };
    const noon = Date.UTC(2026, 5, 1, 12);
    for (const [secretAccessKey, atMs] of [
      ["first", noon],
      ["second", noon],
      ["second", noon + 86_400_000],
      ["first", noon + 86_400_000],
    ] as const) {
      const who = { accessKeyId: "AKIDEXAMPLE", secretAccessKey };
      expect(authorizationOf(signer.sign(what, who, atMs))).toBe(await signedBySdk(place, what, who, atMs));
    }
  });
});
