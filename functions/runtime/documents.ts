/** The descriptions of the bus: `GET /openapi.json` and `GET /asyncapi.json`. */
import type { Catalogue } from "../../shared/event-types/catalogue.ts";
import type { HttpResponse, Serve } from "./http.ts";

/** Written once for a catalogue, by whoever is asked first. */
type Written = WeakMap<Catalogue, Promise<string>>;

const openApiTexts: Written = new WeakMap();
const asyncApiTexts: Written = new WeakMap();

// Loaded when somebody asks: a function's start does not pay for them.
export const serveOpenApi: Serve = async (_request, { catalogue }) =>
  documentResponse(
    await once(openApiTexts, catalogue, async () =>
      (await import("../../shared/openapi/document.ts")).openApiDocument({ catalogue }),
    ),
  );

export const serveAsyncApi: Serve = async (_request, { catalogue }) =>
  documentResponse(
    await once(asyncApiTexts, catalogue, async () =>
      (await import("../../shared/asyncapi/document.ts")).asyncApiDocument({ catalogue }),
    ),
  );

function once(written: Written, catalogue: Catalogue, write: () => Promise<object>): Promise<string> {
  const known = written.get(catalogue);
  if (known !== undefined) return known;
  const writing = write().then((document) => JSON.stringify(document));
  written.set(catalogue, writing);
  return writing;
}

function documentResponse(body: string): HttpResponse {
  return { status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body };
}
