/** On which addresses the local origin listens. */
import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, isIP, type Server as SocketServer } from "node:net";
import { isLoopbackName } from "./guards.ts";

/** Where programs of this machine find it, wherever else it listens. */
export const LOOPBACK = "127.0.0.1";

/** Addresses that stand for all that this machine has. */
const EVERYWHERE: readonly string[] = ["0.0.0.0", "::", "[::]"];

/** Whether only this machine can reach it. */
export const isLoopback = (host: string): boolean => isLoopbackName(host.includes(":") ? `[${bare(host)}]` : host);

export interface Listening {
  readonly port: number;
  /** Takes no more connections; resolves once those that there are have ended. */
  close(): Promise<void>;
}

/**
 * Listens on an address, and on the same port of 127.0.0.1: deployed subscribers and tools of this machine are there.
 * @throws Error with `code: "EADDRINUSE"` when the port is taken, `EADDRNOTAVAIL` when the address is not this machine's
 */
export async function listen(server: HttpServer, port: number, host: string): Promise<Listening> {
  const first = await open(server, port, host);
  if (host === LOOPBACK || EVERYWHERE.includes(host)) return { port: first, close: () => closed(server) };
  const beside = createServer((socket) => server.emit("connection", socket));
  try {
    await open(beside, first, LOOPBACK);
  } catch (error) {
    server.close();
    throw error;
  }
  return { port: first, close: async () => void (await Promise.all([closed(server), closed(beside)])) };
}

/** An address as it stands in a URL. */
export const inUrl = (host: string): string => (isIP(bare(host)) === 6 ? `[${bare(host)}]` : host);

const bare = (host: string): string => host.replace(/^\[|\]$/g, "");

async function open(server: HttpServer | SocketServer, port: number, host: string): Promise<number> {
  server.listen(port, bare(host));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function closed(server: HttpServer | SocketServer): Promise<void> {
  const end = once(server, "close");
  server.close();
  await end;
}
