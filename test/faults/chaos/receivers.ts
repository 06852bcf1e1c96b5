/** Endpoints of webhooks, good ones and bad ones (N20), all on one server; each writes down what it got. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { DeliveredEvent } from "../../../shared/event.ts";

/** How an endpoint behaves. */
export const BEHAVIOURS = ["good", "answers", "down", "redirects", "gone", "busy", "slow", "endless"] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export interface Receivers {
  urlOf(behaviour: Behaviour): string;
  /** From now on those that take their time are good. */
  hurry(): void;
  /** From now on all of them are good. */
  mend(): void;
  close(): Promise<void>;
}

type Handle = (outgoing: ServerResponse, event: DeliveredEvent) => void;

const good: Handle = (outgoing) => void outgoing.writeHead(204).end();

const HANDLES: Readonly<Record<Behaviour, Handle>> = {
  good,
  answers(outgoing, event) {
    const response = { marker: `hook to ${event.id}` };
    outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ response }));
  },
  down: (outgoing) => void outgoing.destroy(),
  redirects: (outgoing) => void outgoing.writeHead(302, { location: "http://127.0.0.1:1/elsewhere" }).end(),
  gone: (outgoing) => void outgoing.writeHead(410).end(),
  busy: (outgoing) => void outgoing.writeHead(429, { "retry-after": "2" }).end(),
  // A byte now and then, for longer than anybody waits.
  slow(outgoing) {
    outgoing.writeHead(200, { "content-type": "text/plain" });
    const timer = setInterval(() => outgoing.write("."), 500);
    outgoing.once("close", () => clearInterval(timer));
  },
  endless(outgoing) {
    outgoing.writeHead(200, { "content-type": "text/plain" });
    const pour = (): void => {
      while (!outgoing.destroyed && outgoing.write("x".repeat(16_384)));
      if (!outgoing.destroyed) outgoing.once("drain", pour);
    };
    pour();
  },
};

/** Those of which one attempt takes all the time that there is. */
const SLOW: readonly Behaviour[] = ["slow", "endless"];

/** @param onEvent hears of each event that a receiver got, as often as it got it */
export async function startReceivers(onEvent: (behaviour: Behaviour, eventId: string) => void): Promise<Receivers> {
  let isMended = false;
  let isHurrying = false;
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => {});
    void eventOf(incoming).then(
      (event) => {
        const behaviour = (incoming.url ?? "/").slice(1) as Behaviour;
        onEvent(behaviour, event.id);
        const isGood = (isMended && behaviour !== "answers") || (isHurrying && SLOW.includes(behaviour));
        const handle = isGood ? good : HANDLES[behaviour];
        handle(outgoing, event);
      },
      () => outgoing.destroy(),
    );
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (behaviour) => `http://127.0.0.1:${port}/${behaviour}`,
    hurry() {
      isHurrying = true;
    },
    mend() {
      isMended = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

async function eventOf(incoming: IncomingMessage): Promise<DeliveredEvent> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as DeliveredEvent;
}
