/**
 * A proxy between the SDK clients and their services, which does to calls what networks and services do to them.
 *
 * What it does is chosen by seed, for one call after the other in the order in which they arrive. It counts what it did,
 * by operation.
 */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { internalFailure } from "./aws-errors.ts";
import type { Answer, Exchange, Service } from "./exchange.ts";
import { fits, NEMESES, type NemesisName } from "./nemeses.ts";
import { type Seeded, seeded } from "./seeded.ts";
import { createTally, type Tally } from "./tally.ts";

/** How likely each nemesis is for a call that it fits; together at most 1. */
export type Rates = Readonly<Partial<Record<NemesisName, number>>>;

/** A moment of a call: `arrived` before anything is done, `answered` when the service has done it and nobody knows. */
export interface Moment {
  /** From 1, in the order in which calls arrived. */
  readonly call: number;
  readonly operation: string;
  readonly phase: "arrived" | "answered";
}

export interface FaultProxyOptions {
  readonly seed: number;
  /** Where the services are; by `x-amz-target`. What is not given is answered with 502. */
  readonly targets?: Partial<Record<Service, string>>;
  /** Is awaited at each moment of each call: the place to kill somebody at. */
  readonly at?: (moment: Moment) => Promise<void> | void;
}

export interface FaultProxy {
  /** Where clients find it. */
  readonly url: string;
  readonly tally: Tally;
  /** Another endpoint for a service, from the next call on. */
  setTarget(service: Service, endpoint: string): void;
  /** From the next call on. Nothing given: no faults. */
  setRates(rates: Rates): void;
  setHook(at: FaultProxyOptions["at"]): void;
  /** Ends when nothing is on its way any more, zombies included. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultProxy({ seed, targets = {}, at }: FaultProxyOptions): Promise<FaultProxy> {
  const endpoints: Partial<Record<Service, string>> = { ...targets };
  const random = seeded(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const tally = createTally();
  const underWay = new Set<Promise<void>>();
  const overtaking = new Set<(call: number) => void>();
  const burstLeft: Record<Service, number> = { dynamodb: 0, eventbridge: 0, sqs: 0 };
  let rates: Rates = {};
  let hook = at;
  let calls = 0;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = ++calls;
    const { service, operation } = targetOf(incoming);
    // Drawn before anything is awaited, so that it goes by the order of arrival.
    const own = random.fork(String(call));
    const nemesis = choose(rates, { service, operation }, own);
    const body = await bodyOf(incoming).catch(() => null);
    if (body === null) return;
    await hook?.({ call, operation, phase: "arrived" });

    const forward = async (changed = body): Promise<Answer> => {
      const endpoint = endpoints[service];
      if (endpoint === undefined) return { status: 502, headers: {}, body: Buffer.from("no such service") };
      const answer = await passOn(agent, endpoint, incoming, changed);
      tally.note(operation, "forwarded");
      for (const notice of [...overtaking]) notice(call);
      await hook?.({ call, operation, phase: "answered" });
      return answer;
    };
    const exchange: Exchange = {
      service,
      operation,
      body,
      random: own,
      forward,
      answer: (answer) => send(outgoing, answer),
      reset: () => outgoing.destroy(),
      overtaken: (ms) => overtakenBy(call, overtaking, ms),
      clientGone: (ms) => closedWithin(outgoing, ms),
      beginBurst(more) {
        burstLeft[service] += more;
      },
    };
    tally.note(operation, "calls");
    try {
      if (burstLeft[service] > 0) {
        burstLeft[service]--;
        tally.note(operation, "burst");
        exchange.answer(internalFailure(exchange));
      } else if (nemesis === null) exchange.answer(await forward());
      else {
        tally.note(operation, nemesis);
        await NEMESES[nemesis](exchange);
      }
    } catch {
      // The service itself is not there at the moment.
      exchange.reset();
    }
  }

  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => {});
    const serving = serve(incoming, outgoing).finally(() => underWay.delete(serving));
    underWay.add(serving);
  });
  server.keepAliveTimeout = 75_000;
  server.on("connection", (socket: Socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tally,
    setTarget(service, endpoint) {
      endpoints[service] = endpoint;
    },
    setRates(next) {
      rates = next;
      for (const service of Object.keys(burstLeft) as Service[]) burstLeft[service] = 0;
    },
    setHook(next) {
      hook = next;
    },
    async quiet() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}

/** `DynamoDB_20120810.PutItem`, `AWSEvents.PutEvents`, `AmazonSQS.SendMessageBatch`. */
function targetOf(incoming: IncomingMessage): { service: Service; operation: string } {
  const [name = "", operation = "unknown"] = String(incoming.headers["x-amz-target"] ?? "").split(".");
  return {
    service: name === "AWSEvents" ? "eventbridge" : name === "AmazonSQS" ? "sqs" : "dynamodb",
    operation,
  };
}

function choose(rates: Rates, call: Pick<Exchange, "service" | "operation">, random: Seeded): NemesisName | null {
  let drawn = random.next();
  for (const [name, rate] of Object.entries(rates) as [NemesisName, number][]) {
    if (!fits(name, call)) continue;
    if (drawn < rate) return name;
    drawn -= rate;
  }
  return null;
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function passOn(agent: Agent, endpoint: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { host: _, connection: __, "content-length": ___, "transfer-encoding": ____, ...headers } = incoming.headers;
  const url = new URL(incoming.url ?? "/", endpoint);
  return new Promise((resolve, reject) => {
    const call = request(url, {
      agent,
      method: incoming.method ?? "POST",
      headers: { ...headers, "content-length": body.length },
    });
    call.on("error", reject).on("response", (response) => {
      bodyOf(response).then((read) => {
        const said = Object.entries(response.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
        resolve({
          status: response.statusCode ?? 502,
          headers: Object.fromEntries(said.map(([name, value]) => [name, String(value)])),
          body: read,
        });
      }, reject);
    });
    call.end(body);
  });
}

const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "content-length"];

function send(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  if (outgoing.destroyed || outgoing.headersSent) return;
  outgoing.writeHead(status, { ...headers, "content-length": body.length }).end(body);
}

function overtakenBy(call: number, overtaking: Set<(call: number) => void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      overtaking.delete(notice);
      resolve();
    };
    const notice = (other: number): void => {
      if (other > call) end();
    };
    const timer = setTimeout(end, ms);
    overtaking.add(notice);
  });
}

function closedWithin(outgoing: ServerResponse, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    outgoing.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
