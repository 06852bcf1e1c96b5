/** AWS Signature Version 4, by a library that is loaded only when something is signed. */
import { credentialsFromEnvironment, regionFromEnvironment } from "./config.ts";
import type { Credentials, CredentialsProvider } from "./credentials.ts";
import { unreachable } from "./errors.ts";

export interface SigningOptions {
  /** Given: every call is signed. Not given: calls to Function URLs are, with the credentials of the environment. */
  readonly credentials?: Credentials | CredentialsProvider | undefined;
  /** Not needed for Function URLs, whose host names it. */
  readonly region?: string | undefined;
}

export interface SignableRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The headers to send: those given, signed where the URL needs it. */
export type Sign = (request: SignableRequest) => Promise<Record<string, string>>;

const FUNCTION_URL_HOST = /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/;

/** Decides for each URL whether and as whom to sign. */
export function createSign(options: SigningOptions): Sign {
  return async (request) => {
    const regionOfHost = FUNCTION_URL_HOST.exec(request.url.hostname)?.[1];
    const credentials = options.credentials ?? (regionOfHost === undefined ? undefined : credentialsFromEnvironment());
    if (credentials === undefined) return { ...request.headers };
    const region = options.region ?? regionOfHost ?? regionFromEnvironment();
    if (region === undefined)
      throw new Error(
        `To sign calls to ${request.url.host} a region is needed: give it as an option or as AWS_REGION.`,
      );
    return sign(request, typeof credentials === "function" ? await askFor(credentials) : credentials, region);
  };
}

/** @throws AgentEventBusError `unreachable`, which is retryable: they mostly come over a network too */
async function askFor(provider: CredentialsProvider): Promise<Credentials> {
  try {
    return await provider();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw unreachable(`There are no credentials to sign with: ${reason}`, cause);
  }
}

async function sign(
  request: SignableRequest,
  credentials: Credentials,
  region: string,
): Promise<Record<string, string>> {
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import("@smithy/signature-v4"),
    import("@aws-crypto/sha256-js"),
  ]);
  const signer = new SignatureV4({ credentials, region, service: "lambda", sha256: Sha256 });
  const { url } = request;
  const signed = await signer.sign({
    method: request.method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...request.headers, host: url.host },
    body: request.body,
  });
  // `fetch` sets the host itself and refuses to be told.
  const { host: _, ...headers } = signed.headers;
  return headers;
}
