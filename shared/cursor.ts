/**
 * Opaque cursors: a place to go on from, bound to the caller and the query it was given for (HMAC-SHA-256), so that an
 * edited or borrowed one is refused.
 */
import { invalidField } from "./errors.ts";
import { canonicalJson, hmacSha256 } from "./hash.ts";
import type { JsonValue } from "./json.ts";
import { keys } from "./keys.ts";
import type { Deps, EventStore } from "./ports.ts";

/** Whose cursor it is, and what for. */
export interface CursorScope {
  readonly caller: string;
  /** The query, without the parts that may change between pages. */
  readonly query: JsonValue;
}

const signingKeys = new WeakMap<EventStore, Promise<string>>();

/** @param place text that is safe in a URL and has no full stop */
export async function sealCursor(
  deps: Pick<Deps, "store" | "newToken">,
  scope: CursorScope,
  place: string,
): Promise<string> {
  return `${place}.${await sign(deps, scope, place)}`;
}

/** The place in a cursor. @throws BusError `invalid_request` when it was not given for this scope @param pointer for the error */
export async function openCursor(
  deps: Pick<Deps, "store" | "newToken">,
  scope: CursorScope,
  cursor: string,
  pointer: string,
): Promise<string> {
  const [place = "", signature = "", ...more] = cursor.split(".");
  // A MAC is compared as a whole with one computed here; who guesses learns nothing useful from its time.
  if (signature === "" || more.length > 0 || signature !== (await sign(deps, scope, place)))
    throw invalidField(pointer, "a cursor that was given for this very query was expected");
  return place;
}

/** Half of the MAC: 128 bits are enough against guessing, and a cursor goes into every line of a stream. */
async function sign(deps: Pick<Deps, "store" | "newToken">, scope: CursorScope, place: string): Promise<string> {
  return hmacSha256(await signingKey(deps), canonicalJson([scope.caller, scope.query, place])).slice(0, 32);
}

/** One key for the table, made by whoever needs it first. */
function signingKey({ store, newToken }: Pick<Deps, "store" | "newToken">): Promise<string> {
  const known = signingKeys.get(store);
  if (known !== undefined) return known;
  const loading = store.getOrCreateSecret(keys.cursorKey(), `${newToken()}${newToken()}`);
  signingKeys.set(store, loading);
  loading.catch(() => signingKeys.delete(store));
  return loading;
}
