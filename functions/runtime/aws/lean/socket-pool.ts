/** Kept connections to one host. One may be opened before there is a call for it. */
import https, { type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";

export interface Place {
  readonly host: string;
  readonly port: number;
}

export class SocketPool extends https.Agent {
  /** A connection that no call has used yet. */
  private early: (Place & { readonly socket: Duplex }) | null = null;
  private readonly everEarly = new WeakSet<Duplex>();

  constructor({ maxSockets }: { maxSockets: number }) {
    super({ keepAlive: true, maxSockets });
  }

  /** Begins to connect. The next call that would have to connect takes this connection. */
  openEarly({ host, port }: Place): void {
    if (this.early !== null) return;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = super.createConnection({ ...this.options, host, port, ...servername });
    if (socket === null || socket === undefined) return;
    // Should it fail, it is not used: the call that finds it so makes its own.
    socket.on("error", () => {});
    this.everEarly.add(socket);
    this.early = { socket, host, port };
  }

  /** What tells connections apart: all are made in one way, and the SDK may go from one host to another. */
  override getName({ host, port }: RequestOptions = {}): string {
    return `${host}:${port}`;
  }

  override createConnection(
    ...[options, callback]: Parameters<https.Agent["createConnection"]>
  ): ReturnType<https.Agent["createConnection"]> {
    return this.takeEarly(options) ?? super.createConnection(options, callback);
  }

  private takeEarly(to: RequestOptions): Duplex | null {
    const { early } = this;
    if (early === null || early.host !== to.host || early.port !== Number(to.port)) return null;
    this.early = null;
    const { socket } = early;
    return !socket.destroyed && socket.readable && socket.writable ? socket : null;
  }

  override destroy(): void {
    this.early?.socket.destroy();
    this.early = null;
    super.destroy();
  }

  /** Whether a connection lay idle before it got its first call, so that it may have died before. */
  wasOpenedEarly(socket: Duplex): boolean {
    return this.everEarly.has(socket);
  }
}
