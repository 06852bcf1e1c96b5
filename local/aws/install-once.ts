/** Folders that are either whole or not there, whatever interrupts their making. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Says in a folder what it holds, written last. */
const MARKER = "installed";

/**
 * Makes a folder unless it is there. It is filled beside its final place and renamed, so that a broken download leaves
 * nothing behind and of two processes that install at once both find a whole one.
 *
 * @param what a folder that holds something else is replaced
 * @param fill gets the folder to fill
 * @throws Error with the last line that a command wrote to its standard error
 */
export async function installOnce(folder: string, what: string, fill: (into: string) => Promise<void>): Promise<void> {
  await removeAbandoned(folder);
  if (await isInstalled(folder, what)) return;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-${process.pid}-`);
  try {
    await fill(unfinished);
    await writeFile(join(unfinished, MARKER), what);
    // Another release, or one that something interrupted.
    if (existsSync(folder) && !(await isInstalled(folder, what))) await rm(folder, { recursive: true });
    await rename(unfinished, folder);
  } catch (error) {
    if (!(await isInstalled(folder, what))) throw installFailed(what, error);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function isInstalled(folder: string, what: string): Promise<boolean> {
  return readFile(join(folder, MARKER), "utf8").then(
    (installed) => installed === what,
    () => false,
  );
}

/** Removes what a process left unfinished that was killed, or ended by Ctrl-C, while it downloaded. */
async function removeAbandoned(folder: string): Promise<void> {
  const prefix = `${basename(folder)}-`;
  const names = await readdir(dirname(folder)).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith(prefix))) {
    const pid = Number(/^(\d+)-/.exec(name.slice(prefix.length))?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be signalled, but is there.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function installFailed(what: string, error: unknown): Error {
  const { stderr } = error as { stderr?: string };
  // Not from a command: what went wrong has said so itself.
  if (stderr === undefined && error instanceof Error) return error;
  const output = stderr?.trim().split("\n").at(-1);
  return new Error(`Could not install ${what}: ${output || String(error)}`, { cause: error });
}
