/** Endpoints of webhooks on this machine, well-behaved and not, and a sender for which a public address leads to them. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { generate } from "selfsigned";
import { onTestFinished } from "vitest";
import { createWebhookSender, type WebhookSenderOptions } from "../../functions/runtime/webhook/sender.ts";
import type { WebhookSender } from "../../shared/webhooks/port.ts";

/** Looks public, and is never called: the sender under test reaches a receiver on this machine for it. */
export const PUBLIC_ADDRESS = "93.184.215.14";
export const HOST = "hook.example.com";

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export interface Authority extends Identity {
  /** A certificate of this authority. @param names DNS names and addresses that it is for */
  issue(names: readonly string[], validity?: { notBeforeDate: Date; notAfterDate: Date }): Promise<Identity>;
}

export async function createAuthority(name = "Test authority"): Promise<Authority> {
  const root = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { key: root.private, cert: root.cert };
  return {
    ...ca,
    async issue(names, validity = hoursAround(new Date())) {
      const { private: key, cert } = await generate([{ name: "commonName", value: names[0] ?? "" }], {
        ...validity,
        keyType: "ec",
        algorithm: "sha256",
        ca,
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, critical: true },
          { name: "extKeyUsage", serverAuth: true },
          { name: "subjectAltName", altNames: names.map(altName) },
        ],
      });
      return { key, cert };
    },
  };
}

const altName = (name: string) =>
  /^[\d.]+$/.test(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name };

const hoursAround = (date: Date) => ({
  notBeforeDate: new Date(date.getTime() - 3_600_000),
  notAfterDate: new Date(date.getTime() + 3_600_000),
});

export interface Receiver {
  readonly port: number;
  /** Connections that were ever opened. */
  connections(): number;
  /** Ends when the sender has closed all of its connections. */
  allClosed(): Promise<void>;
}

/** Speaks HTTP, or HTTPS with an identity. */
export const receiveHttp = (listener: RequestListener, identity?: Identity): Promise<Receiver> =>
  listen(identity === undefined ? createHttpServer(listener) : createHttpsServer({ ...identity }, listener));

/** Speaks whatever is written to the socket, below HTTP. */
export const receiveRaw = (onConnection: (socket: Socket) => void, identity?: Identity): Promise<Receiver> =>
  listen(
    identity === undefined
      ? createTcpServer(onConnection)
      : createTlsServer({ ...identity }, (socket) => onConnection(socket)),
  );

async function listen(server: Server): Promise<Receiver> {
  const open = new Set<Socket>();
  let connections = 0;
  // On the TCP connection, which is there before TLS and HTTP are.
  server.on("connection", (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
  });
  // Senders that break off are what the tests are about.
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket: Socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async allClosed() {
      await Promise.all([...open].map((socket) => once(socket, "close")));
    },
  };
}

export interface TestSender extends WebhookSender {
  /** `address:port` of each connection that was asked for, in order. */
  readonly reached: string[];
  /** Each name that was asked for, in order. */
  readonly resolved: string[];
}

/**
 * A sender whose connections, wherever they are to go, go to a receiver on this machine, or nowhere if there is none.
 * All else is as in production.
 */
export function senderTo(receiver: Pick<Receiver, "port"> | null, options: WebhookSenderOptions = {}): TestSender {
  const reached: string[] = [];
  const resolved: string[] = [];
  const { resolve = async () => [PUBLIC_ADDRESS] } = options;
  const sender = createWebhookSender({
    timeoutMs: 10_000,
    ...options,
    resolve(host) {
      resolved.push(host);
      return resolve(host);
    },
    connect(address, port) {
      reached.push(`${address}:${port}`);
      if (receiver === null) throw new Error(`nothing may be sent to ${address}`);
      return connect({ host: "127.0.0.1", port: receiver.port });
    },
  });
  return { ...sender, reached, resolved };
}
