import type { Logger } from "../../shared/ports.ts";

/** For tests that do not look at the log. */
export const silentLogger: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
