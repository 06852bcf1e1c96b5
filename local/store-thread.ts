/** The thread that the embedded store runs in. Says its port when it is ready; ends when it is told to. */
import type { AddressInfo } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import dynalite from "dynalite";

const { path, port } = workerData as { path: string; port: number };

const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
server.listen(port, "127.0.0.1", () => parentPort?.postMessage({ port: (server.address() as AddressInfo).port }));

parentPort?.once("message", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
