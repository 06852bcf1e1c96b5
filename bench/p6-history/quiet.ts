import type { Logger } from "../../shared/ports.ts";

/** For what a benchmark does not look at. */
export const quiet: Logger = { info() {}, warn() {}, error() {} };
