/** `/agents`: agents with keys, and what they may do. Only administrators get here. */
import * as administer from "../shared/agents/administer.ts";
import type { Agent } from "../shared/agents/agent.ts";
import { listAgents, showAgent } from "../shared/agents/look-up.ts";
import { createAgentParts } from "./runtime/agent-parts.ts";
import * as http from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

type Handle = http.Handle<administer.AgentDeps>;
type Serve = http.Serve<administer.AgentDeps>;

/** A key is shown once, and kept by nobody on the way. */
const NOT_KEPT = { "cache-control": "no-store" };

// Run per event.
const registerAgent: Serve = async (request, deps) => {
  const agent = await administer.registerAgent(deps, http.readBody(request));
  return http.jsonResponse(201, agent, { location: `/agents/${agent.name}`, ...NOT_KEPT });
};

const agents: Serve = async (request, deps) =>
  http.jsonResponse(200, await listAgents(deps, http.readQuery(request), request.agent.id));

const agent: Serve = async (_request, deps, { name = "" }) => http.jsonResponse(200, await showAgent(deps, name));

const changeAgent: Serve = async (request, deps, { name = "" }) =>
  http.jsonResponse(200, await administer.changeAgent(deps, name, http.readBody(request)));

const deleteAgent: Serve = async (_request, deps, { name = "" }) => {
  await administer.deleteAgent(deps, name);
  return http.emptyResponse();
};

const rotateKey: Serve = async (request, deps, { name = "" }) => {
  const body = request.body.length === 0 ? {} : http.readBody(request);
  return http.jsonResponse(201, await administer.rotateKey(deps, name, body), NOT_KEPT);
};

const revokeKey: Serve = async (_request, deps, { name = "", key_id = "" }) => {
  await administer.revokeKey(deps, name, key_id);
  return http.emptyResponse();
};

export const handle: Handle = http.serveOperations<administer.AgentDeps>({
  registerAgent,
  agents,
  agent,
  changeAgent,
  deleteAgent,
  rotateKey,
  revokeKey,
});

/** Its URL takes signed calls only, whatever the others take: whoever IAM lets call it is an administrator. */
export const handleSigned: Handle = (request, deps) =>
  handle({ ...request, agent: asAdministrator(request.agent) }, deps);

const asAdministrator = (caller: Agent): Agent => ({ ...caller, policy: { ...caller.policy, administer: true } });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handleSigned, { parts: createAgentParts, auth: "iam" });
