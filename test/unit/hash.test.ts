import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as underNode from "../../functions/runtime/node-sha256.ts";
import { canonicalJson, derivedId, hashOf, hmacSha256, sha256 } from "../../shared/hash.ts";
import type { JsonValue } from "../../shared/json.ts";
import * as anywhere from "../../shared/sha256.ts";

describe("sha256", () => {
  it("is the hash everybody else computes", async () => {
    expect(await sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(await sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const text = "Grüße, \u{1F600}";
    expect(await sha256(text)).toBe(createHash("sha256").update(text, "utf8").digest("hex"));
  });
});

describe("hashes under Node and anywhere else", () => {
  // Half a surrogate pair is no character: both write U+FFFD for it.
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("\ud800", "a\udfffb", "\u{10ffff}"),
  );

  it("are the same of any text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(underNode.sha256Of(text)).toBe(anywhere.sha256Of(text));
      }),
    );
  });

  it("are the same under any key, as long as a block, shorter or longer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 130 }), texts, (key, text) => {
        expect(new Uint8Array(underNode.hmacOf(key, text))).toEqual(anywhere.hmacOf(key, text));
      }),
    );
  });

  it("are those of RFC 4231", () => {
    const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    expect(hmacSha256("Jefe", "what do ya want for nothing?")).toBe(expected);
  });
});

describe("canonicalJson", () => {
  it("has sorted keys, no white space and no fields that are undefined", () => {
    expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: undefined, "": true })).toBe(
      '{"":true,"b":[1,{"c":"x","d":null}]}',
    );
    expect(canonicalJson(undefined)).toBe("null");
    expect(canonicalJson('a "quoted" line\n')).toBe('"a \\"quoted\\" line\\n"');
    expect(canonicalJson(["10", 10, 1e21, -0])).toBe('["10",10,1e+21,0]');
  });

  it("is JSON of the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(JSON.parse(canonicalJson(value as JsonValue))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("keeps apart what differs", () => {
    const values: JsonValue[] = [
      null,
      [],
      {},
      [null],
      [[]],
      { a: null },
      "",
      "null",
      0,
      "0",
      false,
      [1, 2],
      [12],
      ["1,2"],
      { a: 1, b: 2 },
      { a: { b: 2 } },
      { "a:1,b": 2 },
    ];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });
});

describe("hashOf", () => {
  it("is the same for the same value, however its keys are ordered, and another for another", async () => {
    const hash = await hashOf({ type: "A", data: { x: 1, y: [1, 2] } });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf({ data: { y: [1, 2], x: 1 }, type: "A" })).toBe(hash);
    for (const other of [
      { type: "A", data: { x: 1, y: [2, 1] } },
      { type: "a", data: { x: 1, y: [1, 2] } },
      { type: "A" },
    ])
      expect(await hashOf(other)).not.toBe(hash);
  });
});

describe("derivedId", () => {
  it("is a UUIDv8", async () => {
    for (let i = 0; i < 64; i++)
      expect(await derivedId("event", i)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
  });

  it("is the same for the same parts and another for others, wherever they are cut", async () => {
    expect(await derivedId("event", "agent", "key")).toBe(await derivedId("event", "agent", "key"));
    const ids = await Promise.all([
      derivedId("event", "agent", "key"),
      derivedId("response", "agent", "key"),
      derivedId("event", "agentk", "ey"),
      derivedId("event", "agent", "key", ""),
      derivedId("event", "agentkey"),
      derivedId("event", 'agent","key'),
      derivedId("event", "1"),
      derivedId("event", 1),
      derivedId("event"),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
