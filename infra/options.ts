/** What a deployment may choose on the command line: `cdk deploy -c name=value`. */
import { RemovalPolicy } from "aws-cdk-lib";
import type { Node } from "constructs";

/** Environments kept free for, and at most used by, the functions that wait. */
export interface WaitConcurrency {
  readonly request: number;
  readonly stream: number;
  readonly queue: number;
}

export interface DeployOptions {
  /** Name of the stack and of its EventBridge bus, and the beginning of its functions' names. */
  readonly stackName: string;
  /** What becomes of the table when the stack is deleted. */
  readonly removal: RemovalPolicy.RETAIN | RemovalPolicy.DESTROY;
  /** The name of a table that is there and is to be used, as one restored from a backup. */
  readonly tableName?: string;
  /** Agents may also come with a key, at URLs of their own. */
  readonly agentKeys: boolean;
  /** Keeps every event in an EventBridge archive as well. */
  readonly archive: boolean;
  /** Null: the waits share the account's concurrency with everything else. */
  readonly waitConcurrency: WaitConcurrency | null;
  /** Browser origins that may call the Function URLs; none: no CORS. */
  readonly allowedOrigins: readonly string[];
  /** One base URL in front of the Function URLs; subscribers then use it instead of the map. */
  readonly publicUrl?: string;
  /** The target is an emulator: it gives functions no caller identity, so callers are anonymous, and no way to stream. */
  readonly emulator: boolean;
  /** Alarms and a dashboard. */
  readonly monitoring: boolean;
  /** ARN of an SNS topic that every alarm notifies. */
  readonly alarmTopic?: string;
  /** `debug`: functions write a record of each call that went well, too. */
  readonly logLevel: "info" | "debug";
}

/** With `-subscriptions` behind it, it is the name of a function: 64 characters at most. */
const STACK_NAME = /^[A-Za-z][A-Za-z0-9-]{0,49}$/;

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const TABLE_NAME = /^[A-Za-z0-9_.-]{3,255}$/;

/**
 * 400 of the 1,000 environments that an account has by default, so that 600 are left for those who emit and answer:
 * waits must never starve the answers they wait for.
 */
const DEFAULT_WAIT_CONCURRENCY: WaitConcurrency = { request: 200, stream: 100, queue: 100 };

/** Reads the context. @throws Error that names the flag and what it takes */
export function readOptions(node: Node): DeployOptions {
  const emulator = isEmulator(node);
  const publicUrl = url(node, "publicUrl");
  const alarmTopic = text(node, "alarmTopic");
  const tableName = existingTable(node);
  return {
    stackName: stackName(node),
    removal:
      choice(node, "removal", ["retain", "destroy"]) === "destroy" ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    agentKeys: choice(node, "auth", ["iam", "keys"]) === "keys",
    archive: flag(node, "archive", false),
    waitConcurrency: waitConcurrency(node, emulator),
    allowedOrigins:
      text(node, "allowedOrigins")
        ?.split(",")
        .map((origin) => origin.trim()) ?? [],
    emulator,
    monitoring: flag(node, "monitoring", true),
    logLevel: choice(node, "logLevel", ["info", "debug"]) === "debug" ? "debug" : "info",
    ...(tableName === undefined ? {} : { tableName }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(alarmTopic === undefined ? {} : { alarmTopic }),
  };
}

/** Whether the target is an emulator, which is reached over plain HTTP. */
export const isEmulator = (node: Node): boolean => flag(node, "emulator", false);

function stackName(node: Node): string {
  const name = text(node, "stackName") ?? "AgentEventBus";
  if (!STACK_NAME.test(name)) throw invalid("stackName", "a letter, then up to 49 letters, digits and hyphens", name);
  return name;
}

function existingTable(node: Node): string | undefined {
  const name = text(node, "tableName");
  if (name !== undefined && !TABLE_NAME.test(name)) throw invalid("tableName", "the name of a DynamoDB table", name);
  return name;
}

/** `false`, or `<request>,<stream>,<queue>`. An emulator has no reserved concurrency worth having. */
function waitConcurrency(node: Node, emulator: boolean): WaitConcurrency | null {
  const given = text(node, "reservedConcurrency");
  if (given === undefined || given === "true") return emulator ? null : DEFAULT_WAIT_CONCURRENCY;
  if (given === "false") return null;
  const parts = /^([1-9]\d*),([1-9]\d*),([1-9]\d*)$/.exec(given);
  if (parts === null)
    throw invalid("reservedConcurrency", 'false, or "<request>,<stream>,<queue>" as in 200,100,100', given);
  return { request: Number(parts[1]), stream: Number(parts[2]), queue: Number(parts[3]) };
}

function flag(node: Node, name: string, otherwise: boolean): boolean {
  const given = text(node, name);
  if (given === undefined) return otherwise;
  if (given !== "true" && given !== "false") throw invalid(name, "true or false", given);
  return given === "true";
}

function choice(node: Node, name: string, options: readonly string[]): string | undefined {
  const given = text(node, name);
  if (given !== undefined && !options.includes(given)) throw invalid(name, options.join(" or "), given);
  return given;
}

function url(node: Node, name: string): string | undefined {
  const given = text(node, name);
  if (given !== undefined && !/^https?:\/\//.test(given)) throw invalid(name, "an http or https URL", given);
  return given?.replace(/\/+$/, "");
}

/** Context from the command line is text; from `cdk.json` it may be a boolean. */
function text(node: Node, name: string): string | undefined {
  const given: unknown = node.tryGetContext(name);
  return given === undefined || given === "" ? undefined : String(given);
}

function invalid(name: string, expected: string, given: string): Error {
  return new Error(`-c ${name}: expected ${expected}, not "${given}"`);
}
