/** Finding one's way in an OpenAPI document. */

export interface ResponseObject {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, object>>;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

/** A place in a document, references to components followed. */
export interface Place {
  /** `#` and a JSON pointer, as in a URI. */
  readonly reference: string;
  /** What stands there; undefined when nothing does. */
  readonly value: unknown;
  in(key: string): Place;
}

export function placeIn(document: object, path: readonly string[]): Place {
  const found = lookUp(document, path);
  const target = (found as { $ref?: unknown } | undefined)?.$ref;
  // Only what is nothing but a reference is another place: a schema may say more beside one.
  if (typeof target === "string" && Object.keys(found as object).length === 1)
    return placeIn(document, partsOf(target));
  return {
    reference: `#${path.map((key) => `/${encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`,
    value: found,
    in: (key) => placeIn(document, [...path, key]),
  };
}

const partsOf = (reference: string): string[] =>
  reference
    .slice("#/".length)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

function lookUp(document: object, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    document,
  );
}

/** The operation that serves a path, those without parameters first; null when none does. */
export function findOperation(api: OpenApi, method: string, path: string): Place | null {
  const templates = Object.keys(api.paths).filter((template) => fits(template, path));
  for (const template of templates.sort((a, b) => a.split("{").length - b.split("{").length)) {
    const operation = placeIn(api, ["paths", template, method.toLowerCase()]);
    if (operation.value !== undefined) return operation;
  }
  return null;
}

function fits(template: string, path: string): boolean {
  const expected = template.split("/");
  const actual = path.replace(/(?<=.)\/$/, "").split("/");
  return (
    expected.length === actual.length &&
    expected.every((segment, i) => (segment.startsWith("{") ? actual[i] !== "" : segment === actual[i]))
  );
}
