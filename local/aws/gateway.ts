/**
 * One local origin in front of the deployed functions, as a CDN would be in front of a deployment: routes each call to
 * the function that serves it, signs what is unsigned, and passes bodies through as they come. As it signs for whoever
 * comes, it serves programs and pages of this machine only.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { retryAfter } from "../../functions/runtime/http.ts";
import { BusError, toProblem } from "../../shared/errors.ts";
import { API_FUNCTIONS, type ApiFunction, matchRoute } from "../../shared/routes.ts";
import { whyForbidden } from "../guards.ts";
import { type AwsTarget, PortTaken } from "./emulator.ts";

/** The Function URLs by function, from the stack's outputs. */
export type FunctionUrls = Readonly<Record<ApiFunction, string>>;

/** Those that take agent keys; none where calls are signed. */
export type KeyUrls = Readonly<Partial<FunctionUrls>>;

export interface Gateway {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Forwards from now on; until then every call is answered with 503. */
  forwardTo(target: AwsTarget, urls: FunctionUrls, keyUrls?: KeyUrls): void;
  /** Ends all connections. */
  close(): Promise<void>;
}

interface Upstream {
  readonly target: AwsTarget;
  readonly urls: FunctionUrls;
  readonly keyUrls: KeyUrls;
  readonly signer: SignatureV4;
}

/** Meant for one connection each, not for what is behind it: RFC 9110, 7.6.1. */
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/** The URLs of `EmitUrl`, `RequestUrl` and so on. @throws Error that names a missing output */
export function functionUrls(outputs: Readonly<Record<string, string>>): FunctionUrls {
  const urls: Partial<Record<ApiFunction, string>> = {};
  for (const name of API_FUNCTIONS) {
    const output = `${name[0]?.toUpperCase()}${name.slice(1)}Url`;
    const url = outputs[output];
    if (url === undefined) throw new Error(`The stack has no output ${output}.`);
    urls[name] = url;
  }
  return urls as FunctionUrls;
}

export const keyUrls = ({ KeyUrls }: Readonly<Record<string, string>>): KeyUrls =>
  KeyUrls === undefined ? {} : (JSON.parse(KeyUrls) as KeyUrls);

/**
 * Listens on 127.0.0.1. Its URL is known before the stack is deployed, because subscribers are deployed with it.
 *
 * @param port 0 for any free one
 * @throws PortTaken
 */
export async function startGateway(port: number): Promise<Gateway> {
  let upstream: Upstream | null = null;
  const server = createServer((incoming, outgoing) => {
    const refusal = whyForbidden(incoming.headers);
    if (refusal !== null) return refuse(outgoing, new BusError("forbidden", refusal));
    if (upstream === null) return refuse(outgoing, new BusError("unavailable", "The stack is being deployed."));
    forward(incoming, outgoing, upstream).catch((error: unknown) => {
      refuse(outgoing, new BusError("unavailable", "The emulator cannot be reached.", { cause: error }));
    });
  });
  // A held wait may be silent for as long as its function may run.
  server.requestTimeout = 0;
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new PortTaken(port, "--port");
    throw error;
  }
  const address = server.address();
  const actualPort = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${actualPort}`,
    forwardTo(target, urls, keyUrls = {}) {
      const { credentials, region } = target;
      upstream = {
        target,
        urls,
        keyUrls,
        signer: new SignatureV4({ credentials, region, service: "lambda", sha256: Sha256 }),
      };
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { target, urls, keyUrls, signer }: Upstream,
): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://gateway");
  const route = matchRoute(incoming.method ?? "GET", url.pathname);
  // Every function answers what it does not serve in the same way.
  const servedBy = route.kind === "matched" ? route.servedBy : "history";
  // With a key or without one: what takes keys is asked, unless the call is signed.
  const keyUrl = isSigned(incoming) ? undefined : keyUrls[servedBy];
  const host = hostOf(keyUrl ?? urls[servedBy], target);
  const headers =
    keyUrl === undefined
      ? await signedHeaders(incoming, url, host, signer)
      : { ...withoutHopByHop(incoming.headers), host };
  const onward = request({
    host: "127.0.0.1",
    port: new URL(target.endpoint).port,
    method: incoming.method,
    path: `${emulatorPath(url.pathname)}${url.search}`,
    headers,
  });
  outgoing.once("close", () => onward.destroy());
  // Until the response, `once` below hears of it too; a connection that breaks later would end this process.
  onward.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
  });
  incoming.pipe(onward);
  const [answer] = (await once(onward, "response")) as [IncomingMessage];
  outgoing.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
  answer.once("error", () => outgoing.destroy());
  answer.pipe(outgoing);
}

const isSigned = ({ headers }: IncomingMessage): boolean => headers.authorization?.startsWith("AWS4-") === true;

/** Emulators answer `/health` themselves, whatever the host; with a slash at its end it is the bus's. */
const emulatorPath = (path: string): string => (path === "/health" ? "/health/" : path);

/** Emulators tell Function URLs apart by a host name that needs no resolving when it is only sent as a header. */
function hostOf(functionUrl: string, { endpoint, region }: AwsTarget): string {
  const id = new URL(functionUrl).hostname.split(".")[0];
  return `${id}.lambda-url.${region}.localhost.localstack.cloud:${new URL(endpoint).port}`;
}

async function signedHeaders(
  incoming: IncomingMessage,
  url: URL,
  host: string,
  signer: SignatureV4,
): Promise<Record<string, string | string[]>> {
  const headers = { ...withoutHopByHop(incoming.headers), host };
  if (incoming.headers.authorization !== undefined) return headers;
  const { headers: signature } = await signer.sign({
    method: incoming.method ?? "GET",
    protocol: "http:",
    hostname: host,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    // The body is not read before it is sent on.
    headers: { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
  });
  return { ...headers, ...signature };
}

function withoutHopByHop(headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || HOP_BY_HOP.includes(name) ? [] : [[name, value]],
    ),
  );
}

function refuse(outgoing: ServerResponse, error: BusError): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  const problem = toProblem(error);
  outgoing.writeHead(problem.status, { "content-type": "application/problem+json", ...retryAfter(problem) });
  outgoing.end(JSON.stringify(problem));
}
