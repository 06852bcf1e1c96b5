/** The template of a bus, without bundling: quick, and the same as what is deployed but for the code. */
import { readFileSync } from "node:fs";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { BusStack } from "../../infra/bus-stack.ts";
import { type BusConfig, defineBus } from "../../shared/bus-config.ts";
import type { DeployedSubscriber } from "../../shared/deployed-subscriber.ts";
import type { Limits } from "../../shared/limits.ts";

// The validation of whole templates takes seconds; `npm run synth` keeps it.
process.env.CDK_VALIDATION = "false";

const featureFlags = (
  JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8")) as { context: Record<string, unknown> }
).context;

interface Deployment {
  readonly subscribers?: readonly DeployedSubscriber[];
  readonly limits?: Partial<Limits>;
  /** As given with `-c`. */
  readonly context?: Readonly<Record<string, string>>;
}

interface Resource<Properties> {
  readonly Properties: Properties;
  readonly DeletionPolicy?: string;
}

/** A subscriber with the code of an example, unless something else is said. */
export function subscriber(fields: Partial<DeployedSubscriber> = {}): DeployedSubscriber {
  return {
    name: "librarian",
    on: ["CONTEXT_REQUESTED"],
    handler: "examples/agents/librarian.ts",
    via: "direct",
    answers: true,
    timeoutSeconds: 60,
    memoryMb: 256,
    ...fields,
  };
}

export function busStack({ subscribers = [], limits = {}, context = {} }: Deployment = {}): BusStack {
  const config: BusConfig = { ...defineBus({ limits }), subscribers };
  return new BusStack(new App({ context: { ...featureFlags, "aws:cdk:bundling-stacks": [], ...context } }), config);
}

export function synthesize(deployment: Deployment = {}): Template {
  return Template.fromStack(busStack(deployment));
}

/** The only resource of a type whose logical id starts so, with those of its properties that the test looks into. */
export function only<Properties = Readonly<Record<string, unknown>>>(
  template: Template,
  type: string,
  idStart = "",
): Resource<Properties> {
  const found = Object.entries(template.findResources(type)).filter(([id]) => id.startsWith(idStart));
  const [first] = found;
  if (found.length !== 1 || first === undefined)
    throw new Error(
      `${found.length} resources of ${type} start with "${idStart}": ${found.map(([id]) => id).join(", ")}`,
    );
  return first[1] as Resource<Properties>;
}
