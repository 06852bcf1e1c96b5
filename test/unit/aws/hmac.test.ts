import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HmacSha256 } from "../../../functions/runtime/aws/lean/hmac.ts";

describe("an HMAC under a key that is used often", () => {
  const text = fc.string({ unit: "binary", maxLength: 1_500 });

  it("is Node's of any texts in turn, short and long, under any key of up to 64 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(text, { maxLength: 4 }), (bytes, texts) => {
        const key = Buffer.from(bytes);
        const hmac = new HmacSha256(key);
        expect(texts.map((one) => hmac.hexOf(one))).toEqual(
          texts.map((one) => createHmac("sha256", key).update(one).digest("hex")),
        );
      }),
    );
  });

  it("takes no key that would have to be hashed first", () => {
    expect(() => new HmacSha256(Buffer.alloc(65))).toThrow(RangeError);
  });
});
