/**
 * The endpoint at which some environments tell a function its credentials.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
import type { Identity } from "../config.ts";
import { CallFailure } from "./call-failure.ts";
import type { Credentials } from "./credentials.ts";
import { protocolOf } from "./protocol.ts";

/** It is on the same machine. */
const TIMEOUT_MS = 1_000;
/** An answer has less than 3,000. */
const MAX_BYTES = 65_536;

/** Where credentials may be asked for without encryption: nobody else can listen there. As the SDKs have it. */
const OWN_MACHINE = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/;

/** @throws CallFailure when there is no answer, or it holds no credentials */
export async function askForCredentials(identity: Identity & { readonly kind: "asked" }): Promise<Credentials> {
  const url = new URL(identity.url);
  if (url.protocol !== "https:" && !OWN_MACHINE.test(url.hostname))
    throw failed("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine.");
  const text = await get(url, identity.token === undefined ? {} : { authorization: identity.token });
  return readCredentials(text);
}

/** @throws CallFailure */
function readCredentials(text: string): Credentials {
  let told: Record<string, unknown> | null;
  try {
    told = JSON.parse(text) as Record<string, unknown> | null;
  } catch (cause) {
    throw failed("The credentials that were told are no JSON.", cause);
  }
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = told ?? {};
  const expiresAtMs = typeof Expiration === "string" ? Date.parse(Expiration) : Number.NaN;
  if (typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string" || Number.isNaN(expiresAtMs))
    throw failed("The credentials that were told are not whole.");
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === "string" ? { sessionToken: Token } : {}),
    expiresAtMs,
  };
}

/** @throws CallFailure */
function get(url: URL, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = protocolOf(url).get(url, { headers, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) });
    request.on("error", (cause) => reject(failed("The credentials could not be asked for.", cause)));
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) request.destroy(new Error("The answer is too long."));
      });
      response.on("error", (cause) => reject(failed("The credentials were not told to the end.", cause)));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(failed(`The credentials were not told: HTTP ${response.statusCode}.`));
      });
    });
  });
}

const failed = (message: string, cause?: unknown): CallFailure =>
  new CallFailure({ name: "CredentialsError", message, again: "soon", cause });
