/** POST to one host, over connections that are kept, within limits of time and size. */
import type { Agent, ClientRequest, RequestOptions } from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import { brokenOff, CallFailure } from "./call-failure.ts";
import { placeOf } from "./endpoint.ts";
import { type Answer, exchange, type Patience } from "./exchange.ts";
import { type Protocol, protocolOf } from "./protocol.ts";
import { type Place, SocketPool } from "./socket-pool.ts";

export interface ConnectionOptions extends Partial<Patience> {
  /** Calls at once; more wait. */
  readonly maxSockets?: number;
}

/** Both services answer in tens of milliseconds: what takes longer is lost, as on a socket that died while the function was frozen. */
const PATIENCE: Patience = { connectTimeoutMs: 1_000, answerTimeoutMs: 3_000 };
/** As many as the SDK has. */
const MAX_SOCKETS = 50;

export class Connection {
  private readonly protocol: Protocol;
  private readonly agent: Agent;
  private readonly place: Place;
  /** Of every request. */
  private readonly always: RequestOptions;
  private readonly patience: Patience;

  constructor(url: URL, { maxSockets = MAX_SOCKETS, ...patience }: ConnectionOptions = {}) {
    this.protocol = protocolOf(url);
    this.agent =
      this.protocol === https
        ? new SocketPool({ maxSockets })
        : new this.protocol.Agent({ keepAlive: true, maxSockets });
    this.place = placeOf(url);
    this.always = { ...this.place, agent: this.agent, method: "POST", path: "/" };
    this.patience = { ...PATIENCE, ...patience };
  }

  /** @param headers names and values in turn @throws CallFailure when there is no whole answer */
  async post(headers: readonly string[], body: string, signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted === true) throw brokenOff();
    const request = this.protocol.request({
      ...this.always,
      headers: headers.concat("content-length", String(Buffer.byteLength(body))),
    });
    const answer = exchange(request, this.patience, (socket) => this.mayHaveDied(request, socket), signal);
    request.end(body);
    try {
      return await answer;
    } catch (error) {
      // What broke one connection may have broken the others that lie idle: the next try gets a new one.
      if (!(error instanceof CallFailure && error.name === "AbortError")) this.dropIdle();
      throw error;
    }
  }

  /** Opens a connection for the first call. Never throws. */
  open(): void {
    if (this.agent instanceof SocketPool) this.agent.openEarly(this.place);
  }

  close(): void {
    this.agent.destroy();
  }

  /** A connection that lay idle may have been closed at its other end. */
  private mayHaveDied(request: ClientRequest, socket: Duplex | null): boolean {
    if (request.reusedSocket) return true;
    return socket !== null && this.agent instanceof SocketPool && this.agent.wasOpenedEarly(socket);
  }

  private dropIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}
