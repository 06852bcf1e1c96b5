/**
 * The embedded run as a process that chaos can be done to: its store is reached through a proxy, its clock can be moved,
 * and its store can be made to fall over.
 *
 * Arguments: the port, the data folder, the proxy's URL, milliseconds between two runs of the reconciler.
 */
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Worker } from "node:worker_threads";
import { projectPath } from "../../../local/project.ts";
import type { FromBus, ToBus } from "./bus-messages.ts";

const [port = "0", dataDir = "", proxyUrl = "", reconcileEveryMs = "1000"] = process.argv.slice(2);

// Before anything of the bus is loaded, which takes these two for what they then are.
const clock = movableClock();
const threads = rememberedThreads();
const { startEmbeddedBus } = await import("../../../local/host.ts");

const tell = (message: FromBus): void => void process.send?.(message);
let goOn: () => void = () => {};

process.on("message", (message: ToBus) => {
  if (message.kind === "move-clock") clock.moveTo(message.offsetMs);
  if (message.kind === "end-store") void threads.of("/store-")?.terminate();
  if (message.kind === "go-on") goOn();
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit(1));

const bus = await startEmbeddedBus({
  port: Number(port),
  dataDir,
  configPath: projectPath("test/faults/chaos/bus.config.ts"),
  allowLoopbackWebhooks: true,
  reconcileEveryMs: Number(reconcileEveryMs),
  log: (line) => console.error(line),
  async storeVia(endpoint) {
    const known = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    tell({ kind: "store", endpoint });
    await known;
    return proxyUrl;
  },
});
tell({ kind: "ready", url: bus.url });

/** A wall clock that may be wrong, and jump. */
function movableClock(): { moveTo(offsetMs: number): void } {
  const now = Date.now;
  let offset = 0;
  Date.now = () => now() + offset;
  return {
    moveTo(offsetMs) {
      offset = offsetMs;
    },
  };
}

/** The threads that the bus starts, by a part of their file's name. */
function rememberedThreads(): { of(part: string): Worker | undefined } {
  const module = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof Worker };
  const running = new Map<Worker, string>();
  module.Worker = class extends module.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      running.set(this, String(args[0]));
      this.once("exit", () => running.delete(this));
    }
  };
  syncBuiltinESMExports();
  return { of: (part) => [...running].find(([, file]) => file.includes(part))?.[0] };
}
