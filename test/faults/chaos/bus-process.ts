/**
 * The embedded run as a process that chaos can be done to: its store is reached through a proxy, its clock can be moved,
 * and its store can be made to fall over.
 *
 * Arguments: the port, the data folder, the proxy's URL, milliseconds between two runs of the reconciler.
 */
import { projectPath } from "../../../local/project.ts";
import type { FromBus, ToBus } from "./bus-messages.ts";

/** About as long as a store takes to be started again. */
const STORE_AWAY_MS = 300;

const [port = "0", dataDir = "", proxyUrl = "", reconcileEveryMs = "1000"] = process.argv.slice(2);

// Before anything of the bus is loaded, which takes it for what it then is.
const clock = movableClock();
let storeFallsOver: (awayMs: number) => Promise<void> = async () => {};
const { startEmbeddedBus } = await import("../../../local/host.ts");

const tell = (message: FromBus): void => void process.send?.(message);
let goOn: () => void = () => {};

process.on("message", (message: ToBus) => {
  if (message.kind === "move-clock") clock.moveTo(message.offsetMs);
  if (message.kind === "end-store") void storeFallsOver(STORE_AWAY_MS);
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
  async storeVia({ endpoint, fallOver }) {
    storeFallsOver = fallOver;
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
