/** `npm run dev`: the embedded bus as a command. */
import { statSync } from "node:fs";
import { relative } from "node:path";
import type { AdministratorKey } from "./admin-key.ts";
import { startEmbeddedBus } from "./host.ts";
import { type DevOptions, parseOptions, USAGE } from "./options.ts";
import { PROJECT_ROOT } from "./project.ts";

async function main(): Promise<void> {
  const parsed = parseOptions(process.argv.slice(2), PROJECT_ROOT, process.cwd());
  if (parsed.kind === "help") {
    console.log(USAGE);
    return;
  }
  if (parsed.kind === "invalid") return fail(`${parsed.message}\nRun it with --help to see the options.`);

  const { configPath, dataDir } = parsed.options;
  if (statSync(configPath, { throwIfNoEntry: false })?.isFile() !== true)
    return fail(`--config: there is no file ${configPath}`);

  // Listened to from the start, or a Ctrl-C during it would leave the data folder to the next run's recovery.
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        // Whoever asks twice does not want to wait.
        if (stopping) process.exit(130);
        stopping = true;
        resolve();
      });
  });
  let stopping = false;

  try {
    const bus = await startEmbeddedBus({
      ...parsed.options,
      watch: true,
      log: (line) => console.error(line),
      onReload(what, subscribers) {
        console.log(`reloaded: ${what}`);
        if (what === "bus") console.log(listed(subscribers));
      },
    });
    console.log(`Agent Event Bus: data in ${shortened(dataDir)}, ${listed(bus.subscribers)}`);
    if (parsed.options.allowLoopbackWebhooks)
      console.log("webhooks may call this machine, with http and on any port (--allow-loopback-webhooks)");
    if (bus.administratorKey !== null) console.log(aboutKeys(bus.administratorKey));
    console.log(`listening on ${bus.outsideUrl}`);
    await stopped;
    await bus.close();
    process.exit(0);
  } catch (error) {
    fail(explain(error, parsed.options));
  }
}

const listed = (subscribers: readonly string[]): string => `subscribers: ${subscribers.join(", ") || "none"}`;

function aboutKeys({ path, state }: AdministratorKey): string {
  const file = shortened(path);
  if (state === "good") return `agent keys are asked for; the administrator's is in ${file}`;
  if (state === "not_valid") return `agent keys are asked for; the one in ${file} is not valid any more`;
  return "agent keys are asked for; the agent admin is no administrator any more: a run without --keys can change that";
}

/** A folder as its user would write it. */
function shortened(folder: string): string {
  const fromHere = relative(process.cwd(), folder);
  return fromHere.startsWith("..") ? folder : fromHere;
}

function explain(error: unknown, { port, host }: DevOptions): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return `Port ${port} is taken. End what uses it, or give --port another (0 for any free one).`;
  if (code === "EACCES" && port > 0 && port < 1024)
    return `Port ${port} may not be used without privileges. Give --port another.`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return `--host: ${host} is no address of this machine.`;
  return message;
}

function fail(message: string): void {
  console.error(message);
  process.exit(1);
}

await main();
