/** Agents of a bus that asks for keys, as they call it over HTTP. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CallOptions, call, type Reply } from "./call.ts";
import type { DevRun } from "./embedded.ts";

/** A call with the agent's key. */
export type AgentCalls = (method: string, path: string, options?: CallOptions) => Promise<Reply>;

/** Registers an agent on a run that was started with `--keys`. */
export async function agentOn({ url, dataDir }: DevRun, name: string): Promise<AgentCalls> {
  const administrator = readFileSync(join(dataDir, "admin-key"), "utf8").trim();
  const registered = await callsWith(url, administrator)("POST", "/agents", { body: { name } });
  if (registered.status !== 201) throw new Error(`${name} was not registered: ${registered.text}`);
  return callsWith(url, registered.json.key as string);
}

const callsWith =
  (url: string, key: string): AgentCalls =>
  (method, path, options = {}) =>
    call(url, method, path, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } });
