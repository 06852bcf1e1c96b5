/** Tables of the embedded store with so many events in them: made once, and kept in a folder for the next run. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectPath } from "../../local/project.ts";
import { openStore } from "../../local/store.ts";
import { canonicalJson } from "../../shared/hash.ts";
import type { JsonValue } from "../../shared/json.ts";
import { TABLE } from "../../shared/keys.ts";
import type { BenchContext } from "../contract.ts";
import { itemsAt } from "./items.ts";

/** Of so many events the items are compared with those that a table was made of. */
const COMPARED_EVENTS = 200;
/** What decides which events there are. */
const MADE_BY = ["events.ts", "items.ts", "bulk-load.ts"];

export interface PreparedTable {
  /** As the embedded run has it. */
  readonly dataDir: string;
  readonly bytesOnDisk: number;
  /** How long it took to make it; null for one that was there. */
  readonly madeInMs: number | null;
}

/** The table with so many events. @throws Error when it cannot be made */
export async function prepareTable(
  { workDir, signal, progress }: Pick<BenchContext, "workDir" | "signal" | "progress">,
  count: number,
): Promise<PreparedTable> {
  const parent = join(workDir, "p6-history");
  const name = `${count}-events-`;
  const dataDir = join(parent, `${name}${await versionOf(count)}`);
  await mkdir(parent, { recursive: true });
  // What an earlier version made, or a run that was broken off, only takes up space.
  for (const other of await readdir(parent))
    if (other.startsWith(name) && join(parent, other) !== dataDir)
      await rm(join(parent, other), { recursive: true, force: true });
  const isThere = await exists(dataDir);
  const begun = performance.now();
  if (!isThere) {
    progress(`making a table of ${count} events`);
    const unfinished = `${dataDir}-unfinished`;
    const empty = await openStore(unfinished);
    await empty.close();
    await fill(join(unfinished, "store"), count, signal, progress);
    await rename(unfinished, dataDir);
  }
  return { dataDir, bytesOnDisk: await bytesIn(dataDir), madeInMs: isThere ? null : performance.now() - begun };
}

async function fill(path: string, count: number, signal: AbortSignal, progress: (text: string) => void): Promise<void> {
  const file = projectPath("bench/p6-history/fill.ts");
  const child = spawn(process.execPath, ["--import", "tsx", file, path, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
    signal,
  });
  createInterface(child.stdout).on("line", progress);
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`The table of ${count} events could not be filled (exit code ${code}).`)),
    );
  });
}

/** Changes when the bus would write something else, and with this benchmark's events. */
async function versionOf(count: number): Promise<string> {
  const sources = await Promise.all(MADE_BY.map((file) => readFile(join(import.meta.dirname, file), "utf8")));
  const items = Array.from({ length: COMPARED_EVENTS }, (_, age) => itemsAt(age, count));
  // In which order an item's attributes stand makes no difference.
  const made = canonicalJson(JSON.parse(JSON.stringify([TABLE, items, sources])) as JsonValue);
  return createHash("sha256").update(made).digest("hex").slice(0, 12);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
