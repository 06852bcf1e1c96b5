/** Who may speak for whom: an answer is a subscriber's only if the agent that sends it is that subscriber. */
import type { Deps } from "../ports.ts";
import type { RequestRecord } from "../records.ts";
import { DEPLOYED_OWNER } from "../subscriptions/records.ts";
import { subscriptionsOf } from "../subscriptions/type-index.ts";
import type { Agent } from "./agent.ts";
import { refusal } from "./authorize.ts";
import { isDeployedOn } from "./may-see.ts";
import { speakerKey, speakersNamed } from "./speaker.ts";

type SpeakDeps = Pick<Deps, "store" | "subscribers" | "now" | "log">;

/** An agent, and the subscriber that it says it is. */
export interface Claim {
  readonly agent: Agent;
  readonly as: string;
  /** The bus has called the subscriber itself, and hands in what it returned. */
  readonly isProven?: boolean | undefined;
}

/**
 * The key of the subscriber for whom an answer speaks (`speaker.ts`). Undefined where nobody proves anything: then it
 * speaks for all of that name.
 *
 * @param request null when nobody waits @param typeOf the event's type, read when it is needed
 * @throws BusError `forbidden`
 */
export async function requireSpeaker(
  deps: SpeakDeps,
  { agent, as, isProven = false }: Claim,
  request: RequestRecord | null,
  typeOf: () => Promise<string>,
): Promise<string | undefined> {
  const deployed = agent.subscriber === as ? [speakerKey(as, DEPLOYED_OWNER)] : [];
  const own = speakerKey(as, agent.id);
  const expected = request === null ? [] : speakersNamed(request, as);
  const proven = [...deployed, own].find((key) => expected.includes(key));
  if (proven !== undefined) return proven;
  if (agent.isOpen === true) return undefined;
  const type = await typeOf();
  if (deployed.length > 0 && isDeployedOn(deps.subscribers, agent, type)) return deployed[0];
  if (isProven || (await listensAs(deps, agent, as, type))) return own;
  throw refusal(deps, agent, "respond", "This agent does not speak for that subscriber.", {
    type,
    pointer: "/as",
    detail: "a subscription or a stream of your own for events of this type was expected",
  });
}

/** Whether an agent has a subscription or an open stream of a name now. */
async function listensAs(deps: SpeakDeps, agent: Agent, name: string, type: string): Promise<boolean> {
  const [entries, ofType, ofAny] = await Promise.all([
    subscriptionsOf(deps, type),
    deps.store.getListeners(type, deps.now()),
    deps.store.getListeners("*", deps.now()),
  ]);
  // That somebody polls a queue is no subscription, and does not say whose it is: the queue's entry does.
  const streams = [...ofType, ...ofAny].filter(({ kind }) => kind === "stream");
  const isOwn = (one: { readonly name: string; readonly owner?: string }): boolean =>
    // A stream that older code has opened does not say whose it is; in half a minute there is none any more.
    one.name === name && (one.owner ?? agent.id) === agent.id;
  return entries.some(isOwn) || streams.some(isOwn);
}
