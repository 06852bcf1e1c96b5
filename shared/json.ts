/** A value that JSON can write. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object: what `data` and `response` are. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}
