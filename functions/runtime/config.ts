/** The environment, read here and nowhere else, once, at cold start. */

export interface Config {
  readonly tableName: string;
  readonly eventBusName: string;
  /** Let callers in whom the platform did not identify: emulators do not. Never set on AWS. */
  readonly allowAnonymous: boolean;
}

/** @throws Error that names the variable that is missing or wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  return {
    tableName: required(env, "TABLE_NAME"),
    eventBusName: required(env, "EVENT_BUS_NAME"),
    allowAnonymous: flag(env, "ALLOW_ANONYMOUS"),
  };
}

function required(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
}

function flag(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const value = env[name] ?? "false";
  if (value !== "true" && value !== "false")
    throw new Error(`The environment variable ${name} must be "true" or "false", not "${value}".`);
  return value === "true";
}

/** Whether this is a Lambda function, and not a program that uses its code. */
export function isLambda(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return env["AWS_LAMBDA_FUNCTION_NAME"] !== undefined;
}
