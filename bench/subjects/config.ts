/** What the subjects read of their environment. */

export interface Names {
  readonly tableName: string;
  readonly eventBusName: string;
}

export function readNames(env: Readonly<Record<string, string | undefined>> = process.env): Names {
  return { tableName: env["TABLE_NAME"] ?? "", eventBusName: env["EVENT_BUS_NAME"] ?? "" };
}

/** Where AWS is played. */
export function readEndpoint(env: Readonly<Record<string, string | undefined>> = process.env): URL {
  return new URL(env["AWS_ENDPOINT_URL"] ?? "");
}
