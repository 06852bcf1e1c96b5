/** One JSON line per record on the console. Never data, responses or tokens. */
import { logLine } from "../shared/log-line.ts";
import type { Logger } from "../shared/ports.ts";

type Level = "info" | "warn" | "error";

const write = (level: Level, message: string, fields?: Record<string, unknown>): void =>
  console[level](logLine({ level, message }, fields));

export const consoleLogger: Logger = {
  info: (message, fields) => write("info", message, fields),
  warn: (message, fields) => write("warn", message, fields),
  error: (message, fields) => write("error", message, fields),
};

/** What a log line says of an error. */
export function errorFields(error: unknown): { error: string; stack?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  return { error: `${error.name}: ${error.message}`, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

/** An error's message in up to so many characters, cut between them: half a character is no JSON text. */
export function messageOf(error: unknown, maxChars: number): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .slice(0, maxChars)
    .replace(/[\uD800-\uDBFF]$/, "")
    .toWellFormed();
}
