/** One JSON line per record on standard output, where Lambda picks it up. */
import type { Logger } from "../../shared/ports.ts";

export const jsonLogger: Logger = {
  info: (message, fields) => write("info", message, fields),
  warn: (message, fields) => write("warn", message, fields),
  error: (message, fields) => write("error", message, fields),
};

function write(level: string, message: string, fields: Record<string, unknown> = {}): void {
  // Not console.log: Lambda would wrap the line in a record of its own.
  process.stdout.write(`${JSON.stringify({ level, message, ...fields })}\n`);
}
