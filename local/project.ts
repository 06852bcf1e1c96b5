/** Where the project is on this machine. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with `bus.config.ts` and `package.json`. */
export const PROJECT_ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The absolute path of a file of the project. */
export const projectPath = (path: string): string => join(PROJECT_ROOT, path);
