/**
 * HTTPS of Node; or HTTP, where an emulator or the embedded store is spoken to, and only then loaded: an `import` of it brings
 * all of undici, 25 to 46 ms (https://github.com/nodejs/node/issues/59686).
 */
import https from "node:https";

export type Protocol = typeof import("node:http") | typeof https;

/** @throws Error for any other URL */
export function protocolOf({ protocol }: URL): Protocol {
  if (protocol === "https:") return https;
  if (protocol === "http:") return process.getBuiltinModule("node:http");
  throw new Error(`An endpoint is reached over https or http, not ${protocol}`);
}
