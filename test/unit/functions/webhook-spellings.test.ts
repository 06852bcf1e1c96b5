/** Addresses that may not be called, in every spelling that a URL allows, and among any answers of a name server (goal S5). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findDestination } from "../../../functions/runtime/webhook/destination.ts";
import { readWebhookUrl } from "../../../functions/runtime/webhook/webhook-url.ts";

const RUNS = { numRuns: 1_000, seed: 5 };
const PUBLIC = "93.184.215.14";

const byte = fc.nat(255);
/** Of networks that are not the public internet. */
const special = fc.oneof(
  fc.tuple(fc.constantFrom(0, 10, 127), byte, byte, byte),
  fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
  fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
  fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
  fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
  fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
);
const anyAddress = fc.tuple(byte, byte, byte, byte);

const inBase = fc.constantFrom<(value: number) => string>(
  (value) => String(value),
  (value) => `0x${value.toString(16)}`,
  (value) => `0X${value.toString(16).toUpperCase()}`,
  (value) => `0${value.toString(8)}`,
  (value) => `000000${value.toString(8)}`,
  (value) => `0x0000${value.toString(16)}`,
);
const disguised = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(""),
  // Full-width forms, which the URL standard takes for what they look like.
  (text) => [...text].map((char) => String.fromCodePoint(char.charCodeAt(0) + 0xfee0)).join(""),
  (text) => text.replaceAll(".", "\u3002"),
  (text) => text.replaceAll(".", "%2E"),
  (text) => `${text}.`,
  (text) => text.toUpperCase(),
);
/** One to four numbers, the last of which stands for all that is left (URL standard, "IPv4 parser"). */
const numeric = ([a, b, c, d]: readonly number[] = []) => {
  const [p, q, r, s] = [a ?? 0, b ?? 0, c ?? 0, d ?? 0];
  return fc.constantFrom(
    [p, q, r, s],
    [p, q, r * 256 + s],
    [p, q * 65_536 + r * 256 + s],
    [p * 16_777_216 + q * 65_536 + r * 256 + s],
  );
};
const spelled = (address: fc.Arbitrary<readonly number[]>): fc.Arbitrary<string> =>
  address
    .chain(numeric)
    .chain((numbers) =>
      fc
        .tuple(fc.tuple(...numbers.map(() => inBase)), disguised)
        .map(([bases, disguise]) => disguise(numbers.map((number, i) => (bases[i] ?? String)(number)).join("."))),
    );

/** IPv6 addresses that carry an IPv4 address, whichever it is, and lead to it or may. */
const carrying = fc.tuple(anyAddress, fc.nat(0xffff)).chain(([[a, b, c, d], rest]) => {
  const dotted = `${a}.${b}.${c}.${d}`;
  const [high, low] = [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
  return fc.constantFrom(
    `::${dotted}`,
    `::ffff:${dotted}`,
    `::FFFF:${high}:${low}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `::ffff:0:${dotted}`,
    `64:ff9b::${dotted}`,
    `64:ff9b:1:${rest.toString(16)}::${high}:${low}`,
    `2002:${high}:${low}::${rest.toString(16)}`,
    `2001:0:${high}:${low}:${rest.toString(16)}::1`,
    `2606:4700::5efe:${high}:${low}`,
    `2606:4700::200:5efe:${high}:${low}`,
  );
});

const read = (text: string) => readWebhookUrl(text, { allowLoopback: false });
const find = (addresses: readonly string[], allowLoopback = false) =>
  findDestination(
    allowLoopback ? "http://localhost:8080/" : "https://hook.example.com/",
    { allowLoopback, resolve: async () => addresses },
    new AbortController().signal,
  );

describe("an address that is not public", { timeout: 30_000 }, () => {
  it("is refused however it is spelled in a URL", () => {
    fc.assert(
      fc.property(spelled(special), fc.constantFrom("/", ":443/", "/?q#f", ""), (host, rest) => {
        expect([host, read(`https://${host}${rest}`).kind]).toEqual([host, "refused"]);
      }),
      RUNS,
    );
  });

  it("is refused within an IPv6 address, and so is any other there", () => {
    fc.assert(
      fc.property(carrying, fc.boolean(), (address, isUpper) => {
        const host = isUpper ? address.toUpperCase() : address;
        expect([host, read(`https://[${host}]/`).kind]).toEqual([host, "refused"]);
      }),
      RUNS,
    );
  });

  it("is refused among whatever else a name server says", async () => {
    const bad = fc.oneof(
      special.map((bytes) => bytes.join(".")),
      carrying,
      fc.constantFrom("::1", "fe80::1%eth0", "fd00:ec2::254", "", "localhost", "0x7f.1"),
    );
    const good = fc.array(fc.constantFrom(PUBLIC, "2606:4700:4700::1111"), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(good, bad, good, async (before, one, after) => {
        expect([one, (await find([...before, one, ...after])).kind]).toEqual([one, "refused"]);
      }),
      RUNS,
    );
    expect(await find([PUBLIC, "2606:4700:4700::1111"])).toMatchObject({ kind: "allowed" });
  });

  it("is refused for this machine's own name, even where this machine may be called", async () => {
    const elsewhere = fc.oneof(
      special.filter(([first]) => first !== 127).map((bytes) => bytes.join(".")),
      fc.constantFrom(PUBLIC, "::ffff:127.0.0.1", "::", "0.0.0.0"),
    );
    await fc.assert(
      fc.asyncProperty(elsewhere, async (one) => {
        expect([one, (await find(["127.0.0.1", one], true)).kind]).toEqual([one, "refused"]);
      }),
      { ...RUNS, numRuns: 200 },
    );
  });
});

it("no URL gets anywhere but to port 443 by https, whatever it is made of", { timeout: 30_000 }, () => {
  const part = fc.oneof(
    fc.constantFrom(
      "https:",
      "http:",
      "//",
      "/",
      "\\",
      "@",
      ":",
      "443",
      "80",
      "[",
      "]",
      "#",
      "?",
      "%",
      "..",
      " ",
      "\t",
      "\n",
    ),
    fc.constantFrom(
      "hook.example.com",
      "127.0.0.1",
      "localhost",
      "[::1]",
      "xn--",
      "\u00ad",
      "\u200d",
      "\u2488",
      "a".repeat(64),
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.boolean(), (parts, isStarted) => {
      const text = `${isStarted ? "https://" : ""}${parts.join("")}`;
      const outcome = read(text);
      if (outcome.kind === "refused") return;
      const { protocol, port, username, password, hostname } = outcome.url;
      expect([protocol, port, username, password]).toEqual(["https:", "", "", ""]);
      expect(outcome.host).toBe(hostname);
      expect(hostname).toMatch(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/);
      expect(hostname).not.toMatch(/(^|\.)(localhost|local|internal)$|^127\./);
    }),
    { ...RUNS, numRuns: 3_000 },
  );
});
