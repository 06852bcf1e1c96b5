/** `/agents`: agents with keys, and what they may do. For administrators. */
import {
  type AgentDeps,
  changeAgent,
  deleteAgent,
  registerAgent,
  revokeKey,
  rotateKey,
} from "../shared/agents/administer.ts";
import type { Agent } from "../shared/agents/agent.ts";
import { requireOperation } from "../shared/agents/authorize.ts";
import { listAgents, showAgent } from "../shared/agents/look-up.ts";
import type { Operation } from "../shared/routes.ts";
import { createAgentParts } from "./runtime/agent-parts.ts";
import {
  emptyResponse,
  type Handle,
  jsonResponse,
  readBody,
  readQuery,
  type Serve,
  serveOperations,
} from "./runtime/http.ts";
import { lambdaHandler } from "./runtime/lambda.ts";

/** A key is shown once, and kept by nobody on the way. */
const NOT_KEPT = { "cache-control": "no-store" };

/** What an administrator may do, and nobody else: who else asks is not told what there is. */
const administering =
  (operation: Operation, serve: Serve<AgentDeps>): Serve<AgentDeps> =>
  async (request, deps, params) => {
    requireOperation(deps, request.agent, operation);
    return serve(request, deps, params);
  };

// Run per event.
const register: Serve<AgentDeps> = async (request, deps) => {
  const agent = await registerAgent(deps, readBody(request));
  deps.log.info("an agent was registered", { agent: agent.id, by: request.agent.id });
  return jsonResponse(201, agent, { location: `/agents/${agent.name}`, ...NOT_KEPT });
};

const list: Serve<AgentDeps> = async (request, deps) =>
  jsonResponse(200, await listAgents(deps, readQuery(request), request.agent.id));

const show: Serve<AgentDeps> = async (_request, deps, { name = "" }) => jsonResponse(200, await showAgent(deps, name));

const change: Serve<AgentDeps> = async (request, deps, { name = "" }) => {
  const agent = await changeAgent(deps, name, readBody(request));
  deps.log.info("an agent was changed", { agent: agent.id, by: request.agent.id });
  return jsonResponse(200, agent);
};

const remove: Serve<AgentDeps> = async (request, deps, { name = "" }) => {
  await deleteAgent(deps, name);
  deps.log.info("an agent was deleted", { agent: name, by: request.agent.id });
  return emptyResponse();
};

const rotate: Serve<AgentDeps> = async (request, deps, { name = "" }) => {
  const rotated = await rotateKey(deps, name, request.body.length === 0 ? {} : readBody(request));
  deps.log.info("an agent has a new key", { agent: name, key_id: rotated.key_id, by: request.agent.id });
  return jsonResponse(201, rotated, NOT_KEPT);
};

const revoke: Serve<AgentDeps> = async (request, deps, { name = "", key_id = "" }) => {
  await revokeKey(deps, name, key_id);
  deps.log.info("a key was revoked", { agent: name, key_id, by: request.agent.id });
  return emptyResponse();
};

export const handle: Handle<AgentDeps> = serveOperations<AgentDeps>({
  registerAgent: administering("registerAgent", register),
  agents: administering("agents", list),
  agent: administering("agent", show),
  changeAgent: administering("changeAgent", change),
  deleteAgent: administering("deleteAgent", remove),
  rotateKey: administering("rotateKey", rotate),
  revokeKey: administering("revokeKey", revoke),
});

/** Its URL takes signed calls only, whatever the others take: whoever IAM lets call it is an administrator. */
const handleOfAdministrators: Handle<AgentDeps> = (request, deps) =>
  handle({ ...request, agent: asAdministrator(request.agent) }, deps);

const asAdministrator = (agent: Agent): Agent => ({ ...agent, policy: { ...agent.policy, administer: true } });

// Built on cold start, called by AWS.
export const handler = lambdaHandler(handleOfAdministrators, createAgentParts, "iam");
