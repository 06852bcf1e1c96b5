import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createBodyReader } from "../../../local/read-body.ts";
import { MAX_BODY_BYTES } from "../../../shared/limits.ts";
import { codeOf } from "../../support/failures.ts";

/** A call of which a beginning is there. */
function sending(bytes: number, headers: Readonly<Record<string, string>> = {}) {
  const body = new PassThrough();
  body.write(Buffer.alloc(bytes, "x"));
  return { body, incoming: Object.assign(body, { headers }) as unknown as IncomingMessage };
}

/** Until what was written has been read. */
const read = async (body: PassThrough): Promise<void> => {
  while (body.readableLength > 0) await new Promise((resolve) => setImmediate(resolve));
};

describe("bodies that come slowly", () => {
  it("take only so much memory, and leave half of it to other agents", async () => {
    const readBody = createBodyReader(1_000);
    const slow = sending(400);
    const waiting = readBody(slow.incoming, "one");
    await read(slow.body);
    expect(await codeOf(readBody(sending(200).incoming, "one"))).toBe("overloaded");

    const other = sending(400);
    other.body.end();
    expect(await readBody(other.incoming, "other")).toHaveLength(400);

    slow.body.end();
    expect(await waiting).toHaveLength(400);
    const next = sending(400);
    next.body.end();
    expect(await readBody(next.incoming, "one")).toHaveLength(400);
  });

  it("that break off take none any more", async () => {
    const readBody = createBodyReader(1_000);
    const broken = sending(400);
    const failing = readBody(broken.incoming, "one");
    await read(broken.body);
    broken.body.destroy(new Error("gone"));
    await expect(failing).rejects.toThrow("gone");
    const next = sending(400);
    next.body.end();
    expect(await readBody(next.incoming, "one")).toHaveLength(400);
  });

  it("are refused beyond the limit, whether or not they say how long they are", async () => {
    const readBody = createBodyReader();
    const said = sending(1, { "content-length": String(MAX_BODY_BYTES + 1) });
    expect(await codeOf(readBody(said.incoming, "one"))).toBe("payload_too_large");
    expect(await codeOf(readBody(sending(MAX_BODY_BYTES + 1).incoming, "one"))).toBe("payload_too_large");
  });
});
