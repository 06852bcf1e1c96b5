import { describe, expect, it } from "vitest";
import { serveAsyncApi, serveOpenApi } from "../../../functions/runtime/documents.ts";
import { type HttpRequest, serveOperations } from "../../../functions/runtime/http.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { asyncApiDocument } from "../../../shared/asyncapi/document.ts";
import { openApiDocument } from "../../../shared/openapi/document.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";

const handle = serveOperations({ openapi: serveOpenApi, asyncapi: serveAsyncApi });

async function read({ deps }: BusInMemory, path: string): Promise<string> {
  const { signal } = new AbortController();
  const request: HttpRequest = {
    method: "GET",
    path,
    query: new URLSearchParams(),
    headers: {},
    body: new Uint8Array(),
    agent: openAgent("agent"),
    signal,
    gone: signal,
    canStream: true,
    remainingMs: () => 60_000,
  };
  const { status, headers, body } = await handle(request, deps);
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  return body as string;
}

describe.each([
  ["/openapi.json", openApiDocument],
  ["/asyncapi.json", asyncApiDocument],
] as const)("whoever reads %s", (path, document) => {
  it("gets the description of this very bus", async () => {
    const bus = busInMemory({ eventTypes: { PARCEL_LOST: {} } });
    const text = await read(bus, path);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(document(bus.deps))));
    expect(text.includes("PARCEL_LOST")).toBe(true);
    expect((await read(busInMemory(), path)).includes("PARCEL_LOST")).toBe(false);
  });

  it("gets what was written for who came first", async () => {
    const bus = busInMemory();
    const [first, ...others] = await Promise.all(Array.from({ length: 3 }, () => read(bus, path)));
    expect(others).toEqual([first, first]);
  });
});
