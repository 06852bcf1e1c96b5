/** A policy as `bus.config.ts` declares it, and what is wrong with it, if something is. */
import type { Catalogue } from "../event-types/catalogue.ts";
import { nearestName } from "../event-types/nearest-name.ts";
import type { Policy, TypeRight } from "./policy.ts";

/** The rights that differ from the policy it is built on. */
export type DeclaredPolicy = Partial<Policy>;

const RIGHTS: readonly TypeRight[] = ["emit", "subscribe", "answer", "read"];
const FIELDS: readonly string[] = [...RIGHTS, "conversations", "administer"];

/** @param at where it stands, for the faults */
export function faultsOfPolicy(policy: DeclaredPolicy, catalogue: Catalogue, at: string): string[] {
  const { conversations, administer } = policy as Readonly<Record<string, unknown>>;
  return [
    ...Object.keys(policy)
      .filter((field) => !FIELDS.includes(field))
      .map((field) => `${at}: there is no right "${field}". Did you mean ${nearestName(field, FIELDS)}?`),
    ...RIGHTS.flatMap((right) => faultsOfTypes(policy[right], catalogue, `${at}.${right}`)),
    ...(conversations === undefined || conversations === "own" || conversations === "any"
      ? []
      : [`${at}.conversations: must be "own" or "any"`]),
    ...(administer === undefined || typeof administer === "boolean" ? [] : [`${at}.administer: must be true or false`]),
  ];
}

function faultsOfTypes(names: unknown, catalogue: Catalogue, at: string): string[] {
  if (names === undefined) return [];
  if (!Array.isArray(names)) return [`${at}: must be a list of event types; ["*"] is all, [] is none`];
  return names.flatMap((name: unknown) => {
    if (typeof name !== "string") return [`${at}: event types are texts`];
    return faultOfType(name, catalogue, at) ?? [];
  });
}

function faultOfType(name: string, catalogue: Catalogue, at: string): string | null {
  const types = Object.keys(catalogue);
  const star = name.indexOf("*");
  if (star < 0) {
    if (Object.hasOwn(catalogue, name)) return null;
    return `${at}: there is no event type "${name}". Did you mean ${nearestName(name, types)}?`;
  }
  if (star < name.length - 1) return `${at}: "${name}" has a * that is not at its end`;
  const beginning = name.slice(0, -1);
  if (types.some((type) => type.startsWith(beginning))) return null;
  return `${at}: no event type begins with "${beginning}". Did you mean one like ${nearestName(beginning, types)}?`;
}

/**
 * The ids by which IAM tells callers, as the bus knows them: a role stands for all its sessions, and they do not tell its
 * path; a user has its path.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@-]{1,64}$/;
const USER = /^arn:aws[a-z-]*:iam::\d{12}:(user\/([\x21-\x7e]+\/)?[\w+=,.@-]{1,64}|root)$/;
const FEDERATED_USER = /^arn:aws[a-z-]*:sts::\d{12}:federated-user\/[\w+=,.@-]{2,32}$/;

/** What is wrong with the ARN of an agent; null when nothing is. */
export function faultOfArn(arn: string): string | null {
  if (ROLE.test(arn) || USER.test(arn) || FEDERATED_USER.test(arn)) return null;
  const session = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  if (session !== null)
    return `this is a session of a role; its agent is arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  const withPath = /^(arn:aws[a-z-]*:iam::\d{12}:role)\/.*\/([\w+=,.@-]{1,64})$/.exec(arn);
  if (withPath !== null) return `callers do not tell the path of their role; write ${withPath[1]}/${withPath[2]}`;
  return "the ARN of a role or a user was expected, like arn:aws:iam::123456789012:role/billing";
}
