/** `npm run aws:local`: an AWS emulator with the bus deployed to it. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { PortTaken } from "./emulator.ts";
import { install, PythonMissing } from "./install.ts";
import { type LocalAws, startLocalAws } from "./local-aws.ts";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const HELP = `npm run aws:local -- [options]

Installs an AWS emulator into .local (once), starts it, deploys the bus to it, and puts one URL in front of it.
Nothing outside this machine is touched, and no Docker is needed. Needs Python 3.10 or newer.

  --port <n>            of the URL to call; 0 for any free one (default 7080)
  --emulator-port <n>   of the emulator; 0 for any free one (default 4566)
  --region <name>       default eu-west-1
  --install-only        install, print the folder of Node 24, and stop
  --help

Enter deploys again after a change; Ctrl-C ends it, and everything in it is gone.`;

interface Options {
  readonly port: number;
  readonly emulatorPort: number;
  readonly region: string;
  readonly installOnly: boolean;
  readonly help: boolean;
}

/** The command line is wrong. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return say(HELP);
  if (options.installOnly) return say((await install(say)).nodeFolder);
  const started = performance.now();
  const aws = await startLocalAws({ ...options, progress: say });
  say(`Ready in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  say(describe(aws));
  if (process.stdin.isTTY) deployOnEnter(aws);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  say("\nEnding");
  await aws.close();
}

function readOptions(): Options {
  const values = readArguments();
  return {
    port: portOf("--port", values.port),
    emulatorPort: portOf("--emulator-port", values["emulator-port"]),
    region: values.region,
    installOnly: values["install-only"],
    help: values.help,
  };
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "7080" },
        "emulator-port": { type: "string", default: "4566" },
        region: { type: "string", default: "eu-west-1" },
        "install-only": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    // Node's message goes on for a paragraph about how to pass a positional argument.
    throw new UsageError((error as Error).message.split(". ")[0], { cause: error });
  }
}

function portOf(flag: string, given: string): number {
  const port = Number(given);
  if (!/^\d+$/.test(given) || port > 65_535)
    throw new UsageError(`${flag}: expected a port (0 to 65535), not "${given}"`);
  return port;
}

function describe({ url, emulator, outputs }: LocalAws): string {
  const environment = Object.entries(emulator.env).map(([name, value]) => `${name}=${value}`);
  return `The bus      ${url}
The emulator ${emulator.endpoint}

Ask, and be answered by both deployed subscribers, the direct one and the one behind a queue:

  curl ${url}/requests -d '{"type": "PING", "data": {"note": "hi"}, "timeout": 10, "expect": {"mode": "all"}}'

Look into it with any AWS client:

  export ${environment.join(" ")}

${Object.entries(outputs)
  .map(([name, value]) => `${name.padEnd(13)}${value}`)
  .join("\n")}
`;
}

function deployOnEnter(aws: LocalAws): void {
  say("Enter deploys again after a change; Ctrl-C ends it.");
  let last = Promise.resolve();
  process.stdin.on("data", () => {
    last = last.then(async () => {
      try {
        await aws.deploy();
        say("Deployed");
      } catch (error) {
        say(String(error));
      }
    });
  });
  process.stdin.unref();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (error instanceof UsageError) fail(`${error.message}\nRun it with --help to see the options.`);
  if (error instanceof PortTaken || error instanceof PythonMissing) fail(error.message);
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
