/** The thread that the embedded store runs in. Says its port when it is ready; ends when it is told to. */
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import dynalite from "dynalite";
import { writeAtomically } from "./atomic-writes.ts";
import { whyForbidden } from "./guards.ts";

const { path, port } = workerData as { path: string; port: number };

writeAtomically();
const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });

// It takes any credentials and lets every page read its answers, so whoever is in a browser must not get to it at all.
const [serve] = server.listeners("request") as [RequestListener];
server.removeAllListeners("request");
server.on("request", (incoming, outgoing) => {
  const refusal =
    incoming.headers.origin === undefined ? whyForbidden(incoming.headers) : "The store is not for web pages.";
  if (refusal === null) serve(incoming, outgoing);
  else outgoing.writeHead(403, { "content-type": "text/plain", connection: "close" }).end(`${refusal}\n`);
});

server.listen(port, "127.0.0.1", () => parentPort?.postMessage({ port: (server.address() as AddressInfo).port }));

parentPort?.once("message", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
