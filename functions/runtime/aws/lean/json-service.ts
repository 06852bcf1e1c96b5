/**
 * A service of AWS that speaks JSON: each call is a signed POST that names its operation in a header.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
import { type Again, CallFailure } from "./call-failure.ts";
import type { Connection } from "./connection.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import type { Answer } from "./exchange.ts";
import { RetryBudget, tryTwice } from "./retry.ts";
import { ServiceClock } from "./service-clock.ts";
import { RequestSigner } from "./signature-v4.ts";

export interface JsonServiceOptions {
  readonly url: URL;
  readonly region: string;
  /** The service's name in signatures, as `dynamodb`. */
  readonly signingName: string;
  /** What stands before the operation in the name of a call, as `DynamoDB_20120810`. */
  readonly prefix: string;
  readonly version: "1.0" | "1.1";
  readonly credentials: CredentialSource;
  readonly connection: Connection;
}

/** The service has too much to do, in its own words and in those of what stands before it. Nothing was done. */
const THROTTLES = new Set([
  "BandwidthLimitExceeded",
  "LimitExceededException",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "TransactionInProgressException",
]);
/** Faults of a moment that do not have the status of one. */
const PASSING = new Set(["RequestTimeout", "RequestTimeoutException"]);
/** The signature was made too early or too late, or so it seems. */
const SKEWED = new Set([
  "InvalidSignatureException",
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);
const EXPIRED = new Set(["ExpiredToken", "ExpiredTokenException"]);

export class JsonService {
  private readonly options: JsonServiceOptions;
  private readonly contentType: string;
  private readonly signer: RequestSigner;
  private readonly clock = new ServiceClock();
  private readonly budget = new RetryBudget();

  constructor(options: JsonServiceOptions) {
    const { url, region, signingName } = options;
    this.options = options;
    this.contentType = `application/x-amz-json-${options.version}`;
    this.signer = new RequestSigner({ host: url.host, region, service: signingName });
  }

  /** @throws CallFailure with the service's name of the error */
  call<Output>(operation: string, input: object, signal?: AbortSignal): Promise<Output> {
    const target = `${this.options.prefix}.${operation}`;
    const body = JSON.stringify(input);
    return tryTwice(() => this.tryOnce<Output>(target, body, signal), { budget: this.budget, signal });
  }

  private async tryOnce<Output>(target: string, body: string, signal: AbortSignal | undefined): Promise<Output> {
    const current = this.options.credentials.current();
    const credentials = current instanceof Promise ? await current : current;
    const headers = this.signer.sign({ contentType: this.contentType, target, body }, credentials, this.clock.now());
    const answer = await this.options.connection.post(headers, body, signal);
    if (answer.status !== 200) throw this.failureOf(answer, credentials);
    return outputOf<Output>(answer);
  }

  private failureOf(answer: Answer, credentials: Credentials): CallFailure {
    const { status } = answer;
    const { name, message } = errorOf(answer);
    return new CallFailure({ name, message, status, again: this.again(name, answer, credentials) });
  }

  private again(name: string, { status, headers }: Answer, credentials: Credentials): Again {
    if (THROTTLES.has(name) || status === 429) return "later";
    if (status >= 500 || PASSING.has(name)) return "soon";
    if (SKEWED.has(name)) return this.clock.correct(headers.date) ? "now" : "never";
    if (EXPIRED.has(name)) return this.options.credentials.refused(credentials) ? "now" : "never";
    return "never";
  }
}

function outputOf<Output>({ status, body }: Answer): Output {
  try {
    return (body === "" ? {} : JSON.parse(body)) as Output;
  } catch (cause) {
    throw new CallFailure({ name: "InvalidAnswer", message: "The answer is no JSON.", status, again: "soon", cause });
  }
}

/** The service's name of an error, without the namespace before it and the address behind it. */
function errorOf({ status, headers, body }: Answer): { name: string; message: string } {
  const { __type, code, message, Message } = objectOf(body);
  const type = [headers["x-amzn-errortype"], code, __type].find((value) => typeof value === "string" && value !== "");
  const name = String(type ?? "UnknownError")
    .replace(/^.*#/, "")
    .replace(/[:,].*$/, "");
  return { name, message: String(message ?? Message ?? `HTTP ${status}`) };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
