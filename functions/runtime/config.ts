/** The environment, read here and nowhere else, once, at cold start. */

/** `debug` adds a record of each call that went well. */
export type LogLevel = "info" | "debug";

/** What calls come with: a signature that IAM has verified, or an agent key. */
export type AuthMode = "iam" | "keys";

export interface Config {
  readonly tableName: string;
  readonly eventBusName: string;
  /** Where it runs, for example `eu-central-1`. */
  readonly region: string;
  /** Let callers in whom the platform did not identify: emulators do not. Never set on AWS. */
  readonly allowAnonymous: boolean;
  readonly auth: AuthMode;
  readonly logLevel: LogLevel;
}

/** @throws Error that names the variable that is missing or wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  return {
    tableName: required(env, "TABLE_NAME"),
    eventBusName: required(env, "EVENT_BUS_NAME"),
    region: env["AWS_REGION"] ?? "",
    allowAnonymous: flag(env, "ALLOW_ANONYMOUS"),
    auth: authMode(env),
    logLevel: logLevel(env),
  };
}

/** Where webhook deliveries are queued, for the functions that send for them or make them. @throws Error */
export function readWebhookQueueUrl(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return required(env, "WEBHOOK_QUEUE_URL");
}

/** What stands before a subscriber's name in the name of its function and its queue. @throws Error */
export function readSubscriberPrefix(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return required(env, "SUBSCRIBER_PREFIX");
}

/** Where what is redriven to the deployed subscribers goes. */
export interface RedriveConfig {
  readonly subscriberPrefix: string;
  readonly dispatchQueueUrl: string;
}

/** @throws Error that names the variable that is missing */
export function readRedriveConfig(env: Readonly<Record<string, string | undefined>> = process.env): RedriveConfig {
  return {
    subscriberPrefix: readSubscriberPrefix(env),
    dispatchQueueUrl: required(env, "DISPATCH_QUEUE_URL"),
  };
}

function required(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
}

function authMode(env: Readonly<Record<string, string | undefined>>): AuthMode {
  const value = env["CALLER_AUTH"] ?? "iam";
  if (value !== "iam" && value !== "keys")
    throw new Error(`The environment variable CALLER_AUTH must be "iam" or "keys", not "${value}".`);
  return value;
}

function flag(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const value = env[name] ?? "false";
  if (value !== "true" && value !== "false")
    throw new Error(`The environment variable ${name} must be "true" or "false", not "${value}".`);
  return value === "true";
}

function logLevel(env: Readonly<Record<string, string | undefined>>): LogLevel {
  const value = env["LOG_LEVEL"] ?? "info";
  if (value !== "info" && value !== "debug")
    throw new Error(`The environment variable LOG_LEVEL must be "info" or "debug", not "${value}".`);
  return value;
}

/** Whether this is a Lambda function, and not a program that uses its code. */
export function isLambda(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return env["AWS_LAMBDA_FUNCTION_NAME"] !== undefined;
}
