/** An agent key, sent as a bearer token (RFC 6750). */
import { nameInKey } from "../shared/agents/key.ts";
import type { Sign } from "./signing.ts";

/**
 * Adds the key to every call. White space around it is taken for what a file or a shell has left there.
 * @throws Error when it is no key; it does not say what was given
 */
export function sendKey(given: string): Sign {
  const key = given.trim();
  if (nameInKey(key) === null)
    throw new Error("The key (or AGENT_EVENT_BUS_KEY) is no agent key: those look like aeb_<name>_<43 characters>.");
  return async ({ url, headers }) => {
    if (url.protocol !== "https:" && !isThisMachine(url.hostname))
      throw new Error(`A key is not sent to ${url.origin}: others could read it there. Use https.`);
    return { ...headers, authorization: `Bearer ${key}` };
  };
}

/** @param hostname as `URL` writes it: addresses in full, IPv6 in brackets */
function isThisMachine(hostname: string): boolean {
  // RFC 6761, section 6.3: whatever ends in .localhost is this machine.
  return /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost|.+\.localhost)$/.test(hostname);
}
