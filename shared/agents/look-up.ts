/** Looking at agents: one, and all. */
import * as v from "valibot";
import { textFromBase64Url, textToBase64Url } from "../base64url.ts";
import { type CursorScope, openCursor, sealCursor } from "../cursor.ts";
import { BusError } from "../errors.ts";
import { limitField, readInput } from "../input.ts";
import { DEFAULT_PAGE_SIZE } from "../limits.ts";
import type { Deps } from "../ports.ts";
import { AGENT_NAME, type AgentRecord } from "./records.ts";
import { type AgentView, viewAgent } from "./view.ts";

export interface AgentPage {
  /** In the order of their names. */
  readonly agents: readonly AgentView[];
  readonly next_cursor: string | null;
}

const ListQuery = v.strictObject({ limit: limitField, cursor: v.optional(v.string()) });

export const isKnown = ({ status }: AgentRecord): boolean => status !== "deleted";

/** @throws BusError `not_found`, also for one that is deleted */
export async function findAgent({ store }: Pick<Deps, "store">, name: string): Promise<AgentRecord> {
  const agent = AGENT_NAME.test(name) ? await store.getAgent(name) : null;
  if (agent === null || !isKnown(agent)) throw new BusError("not_found", "There is no such agent.");
  return agent;
}

/** @throws BusError `not_found` */
export async function showAgent(deps: Pick<Deps, "store" | "now">, name: string): Promise<AgentView> {
  return viewAgent(await findAgent(deps, name), deps.now());
}

/** A page of all agents. @param caller the administrator, whose the cursor is @throws BusError `invalid_request` */
export async function listAgents(
  deps: Pick<Deps, "store" | "now" | "newToken">,
  query: Record<string, string>,
  caller: string,
): Promise<AgentPage> {
  const { limit = DEFAULT_PAGE_SIZE, cursor } = readInput(ListQuery, query);
  const scope: CursorScope = { caller, query: "agents" };
  const after = cursor === undefined ? "" : await openCursor(deps, scope, cursor, "/cursor");
  const records = await deps.store.listAgents(after === "" ? "" : textFromBase64Url(after), limit);
  const last = records.length < limit ? undefined : records.at(-1);
  return {
    // A page may be short of those that were deleted lately.
    agents: records.filter(isKnown).map((record) => viewAgent(record, deps.now())),
    next_cursor: last === undefined ? null : await sealCursor(deps, scope, textToBase64Url(last.name)),
  };
}
