/** Kept connections to one host. One may be opened before there is a call for it. */
import https from "node:https";
import type { Duplex } from "node:stream";

export class SocketPool extends https.Agent {
  /** A connection that no call has used yet. */
  private early: Duplex | null = null;
  private readonly everEarly = new WeakSet<Duplex>();

  constructor({ maxSockets }: { maxSockets: number }) {
    super({ keepAlive: true, maxSockets });
  }

  /** Begins to connect. The next call that would have to connect takes this connection. */
  openEarly({ host, port }: { host: string; port: number }): void {
    if (this.early !== null) return;
    const socket = super.createConnection({ ...this.options, host, port, servername: host });
    if (socket === null || socket === undefined) return;
    // Should it fail, it is not used: the call that finds it so makes its own.
    socket.on("error", () => {});
    this.everEarly.add(socket);
    this.early = socket;
  }

  override createConnection(
    ...[options, callback]: Parameters<https.Agent["createConnection"]>
  ): ReturnType<https.Agent["createConnection"]> {
    const { early } = this;
    this.early = null;
    if (early !== null && !early.destroyed && early.readable && early.writable) return early;
    return super.createConnection(options, callback);
  }

  /** Whether a connection lay idle before it got its first call, so that it may have died before. */
  wasOpenedEarly(socket: Duplex): boolean {
    return this.everEarly.has(socket);
  }
}
