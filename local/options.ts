/** The command line of `npm run dev`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isLoopback, LOOPBACK } from "./listening.ts";

export interface DevOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly configPath: string;
  /** Webhooks may lead to this machine. */
  readonly allowLoopbackWebhooks: boolean;
  /** Whoever calls has to have an agent key. */
  readonly keys: boolean;
  /** Where it listens: a name or an address. */
  readonly host: string;
}

export type ParsedOptions =
  | { readonly kind: "run"; readonly options: DevOptions }
  | { readonly kind: "help" }
  | { readonly kind: "invalid"; readonly message: string };

export const DEFAULT_PORT = 7070;
export const DEFAULT_DATA_DIR = ".local/data";

export const USAGE = `Runs the bus on this machine: the deployed functions behind one local origin, with a store in a folder.

Usage: npm run dev -- [options]

  --port <number>      port; 0 for any free one (default ${DEFAULT_PORT})
  --data-dir <folder>  where events and undelivered work are kept (default ${DEFAULT_DATA_DIR})
  --config <file>      another bus.config.ts
  --allow-loopback-webhooks
                       webhooks may call this machine, with http and on any port: to develop a receiver
  --keys               whoever calls has to have an agent key; the administrator's first is written to
                       <data-dir>/admin-key, which only you can read
  --host <address>     listen there too, for other machines (default ${LOOPBACK} only); takes --keys
  --help               this text

It prints "listening on http://<host>:<port>" when it is ready. Code is reloaded when it changes. Ctrl-C ends it.`;

/**
 * Reads the arguments after the program's name. Never throws.
 *
 * @param root the project's folder, where `bus.config.ts` is
 * @param cwd what relative paths given by the user are relative to
 */
export function parseOptions(args: readonly string[], root: string, cwd: string): ParsedOptions {
  let values: {
    port?: string;
    "data-dir"?: string;
    config?: string;
    "allow-loopback-webhooks"?: boolean;
    keys?: boolean;
    host?: string;
    help?: boolean;
  };
  try {
    values = parseArgs({
      args: [...args],
      options: {
        port: { type: "string" },
        "data-dir": { type: "string" },
        config: { type: "string" },
        "allow-loopback-webhooks": { type: "boolean" },
        keys: { type: "boolean" },
        host: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    // Node's message goes on for a paragraph about how to pass a positional argument.
    return { kind: "invalid", message: (error as Error).message.split(". ")[0] as string };
  }
  if (values.help === true) return { kind: "help" };

  const port = values.port === undefined ? DEFAULT_PORT : parsePort(values.port);
  if (port === null)
    return { kind: "invalid", message: `--port: expected a whole number from 0 to 65535, not "${values.port}"` };
  if (values["data-dir"] === "") return { kind: "invalid", message: "--data-dir: expected a folder" };
  if (values.config === "") return { kind: "invalid", message: "--config: expected a file" };
  const { keys = false, host = LOOPBACK } = values;
  const fault = faultOfHost(host, keys);
  if (fault !== null) return { kind: "invalid", message: `--host: ${fault}` };
  return {
    kind: "run",
    options: {
      port,
      dataDir: values["data-dir"] === undefined ? resolve(root, DEFAULT_DATA_DIR) : resolve(cwd, values["data-dir"]),
      configPath: values.config === undefined ? resolve(root, "bus.config.ts") : resolve(cwd, values.config),
      allowLoopbackWebhooks: values["allow-loopback-webhooks"] === true,
      keys,
      host,
    },
  };
}

/** Why it may not listen there; null when it may. */
export function faultOfHost(host: string, keys: boolean): string | null {
  if (!/^([\w.-]+|\[?[0-9a-f:.]+\]?)$/i.test(host)) return `expected a name or an address, not "${host}"`;
  if (keys || isLoopback(host)) return null;
  return `on ${host} others could reach the bus, and without keys it asks nobody who he is; give --keys too, or leave it out`;
}

function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}
