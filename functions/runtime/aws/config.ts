/** What a function learns of AWS from its environment: where its services are, and who it is. Read at cold start. */
import type { AwsService } from "./calls.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export interface AwsEnvironment {
  readonly region: string;
  /** Other places than a service's own, as `http://127.0.0.1:4566`. */
  readonly endpoints: Readonly<Partial<Record<AwsService, string>>>;
  readonly identity: Identity;
}

/** Where the credentials of a function come from. */
export type Identity =
  /** They are in the environment, for as long as that lives. */
  | {
      readonly kind: "given";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
    }
  /** They are asked for, and again before they expire: where an environment outlives its credentials. */
  | { readonly kind: "asked"; readonly url: string; readonly token?: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** Endpoints that only the SDK knows. Whoever asks for them must not be given others in silence. */
const SDK_ONLY = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] as const;

/** @throws Error that names what is missing, or what the lean clients cannot do */
export function readAwsEnvironment(env: Environment = process.env): AwsEnvironment {
  for (const name of SDK_ONLY)
    if (env[name]?.toLowerCase() === "true")
      throw new Error(`${name} needs the SDK's clients: set awsClient: "sdk" in bus.config.ts.`);
  const region = env["AWS_REGION"];
  if (region === undefined || region === "") throw new Error("The environment variable AWS_REGION is missing.");
  return { region, endpoints: readEndpoints(env), identity: readIdentity(env) };
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
function readEndpoints(env: Environment): AwsEnvironment["endpoints"] {
  const dynamodb = env["AWS_ENDPOINT_URL_DYNAMODB"] || env["AWS_ENDPOINT_URL"];
  const eventbridge = env["AWS_ENDPOINT_URL_EVENTBRIDGE"] || env["AWS_ENDPOINT_URL"];
  return { ...(dynamodb ? { dynamodb } : {}), ...(eventbridge ? { eventbridge } : {}) };
}

/** @throws Error when there is none: a Lambda function always has one */
export function readIdentity(env: Environment = process.env): Identity {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (accessKeyId && secretAccessKey) {
    const sessionToken = env["AWS_SESSION_TOKEN"];
    return { kind: "given", accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  }
  const url = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  if (!url)
    throw new Error(
      "There are no credentials: neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set.",
    );
  const token = env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  return { kind: "asked", url, ...(token ? { token } : {}) };
}
