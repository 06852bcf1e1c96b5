/** Who calls, where calls come with agent keys. */
import type { Agent } from "../../shared/agents/agent.ts";
import { agentOfKey } from "../../shared/agents/authenticate.ts";
import { NO_POLICY } from "../../shared/agents/policy.ts";
import { BusError } from "../../shared/errors.ts";
import type { Deps, Logger } from "../../shared/ports.ts";
import { matchRoute } from "../../shared/routes.ts";
import { type HttpRequest, type HttpResponse, problemResponse } from "./http.ts";

/** A call, before anybody knows whose it is. */
export interface UnknownCall extends Pick<HttpRequest, "method" | "path"> {
  /** The header of that name. */
  readonly authorization: string | undefined;
}

/** Whose call it is, or what it is answered with. */
export type Identified =
  | { readonly kind: "known"; readonly agent: Agent }
  | { readonly kind: "refused"; readonly response: HttpResponse };

/** Whoever asks whether the bus is there. It may do nothing else. */
const NOBODY: Agent = {
  id: "nobody",
  policy: NO_POLICY,
};

/** Never throws: where the agent cannot be looked up, nobody is let in. */
export async function identifyByKey(
  deps: Pick<Deps, "store" | "now" | "log">,
  { method, path, authorization }: UnknownCall,
): Promise<Identified> {
  const route = matchRoute(method, path);
  if (route.kind === "matched" && route.operation === "health") return { kind: "known", agent: NOBODY };
  try {
    const agent = await agentOfKey(deps, authorization);
    return agent === null ? { kind: "refused", response: withoutKey(deps.log) } : { kind: "known", agent };
  } catch (error) {
    return { kind: "refused", response: problemResponse(error, deps.log) };
  }
}

/** One answer whatever is wrong with a key: that there is none, that it is none, was revoked, has expired, is another's. */
function withoutKey(log: Logger): HttpResponse {
  const error = new BusError(
    "unauthenticated",
    "No agent key that is valid came with the call: send it as `Authorization: Bearer aeb_…`.",
  );
  const response = problemResponse(error, log);
  // RFC 9110, section 11.6.1.
  return { ...response, headers: { ...response.headers, "www-authenticate": "Bearer" } };
}

/** What was let in by a key is looked at again so often while it streams, when it has something to say: a live stream has every 15 s. */
const LET_IN_MS = 10_000;

/**
 * An answer that ends, when it is a stream, once its caller is not let in any more or may do other things than before: who
 * comes back is asked anew.
 *
 * @param identify whose call it is now
 */
export function whileLetIn(
  response: HttpResponse,
  agent: Agent,
  identify: () => Promise<Identified>,
  monotonic: () => number,
): HttpResponse {
  const { body } = response;
  return typeof body === "string"
    ? response
    : { ...response, body: chunksWhileLetIn(body, agent, identify, monotonic) };
}

async function* chunksWhileLetIn(
  chunks: AsyncIterable<string>,
  agent: Agent,
  identify: () => Promise<Identified>,
  monotonic: () => number,
): AsyncGenerator<string, void> {
  let letInAt = monotonic();
  for await (const chunk of chunks) {
    if (monotonic() - letInAt >= LET_IN_MS) {
      if (isAnother(agent, await identify())) return;
      letInAt = monotonic();
    }
    yield chunk;
  }
}

/** A store that does not answer says nothing about anybody. */
const isAnother = (agent: Agent, now: Identified): boolean =>
  now.kind === "known" ? JSON.stringify(now.agent) !== JSON.stringify(agent) : now.response.status === 401;

/** Headers as the functions get them: what proves who calls is nothing that they, or their logs, need. */
export function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization: _, "x-amz-security-token": __, ...rest } = headers;
  return rest;
}
