/** One JSON line per record on standard output, where Lambda picks it up. */
import { logLine } from "../../shared/log-line.ts";
import type { Logger } from "../../shared/ports.ts";
import type { LogLevel } from "./config.ts";

/**
 * Every record has `level`, `message` and `time`; beside them stand ids and names, by which records are found again.
 *
 * @param level `debug`: also a record of every call that went well, which is otherwise not worth its bytes
 */
export function jsonLogger(level: LogLevel): Logger {
  const info = writer("info");
  return {
    info,
    warn: writer("warn"),
    error: writer("error"),
    ...(level === "debug" ? { debug: writer("debug") } : {}),
  };
}

function writer(level: string): Logger["info"] {
  return (message, fields) => {
    const time = new Date().toISOString();
    // Not console.log: Lambda would wrap the line in a record of its own.
    process.stdout.write(`${logLine({ level, message, time }, fields)}\n`);
  };
}
