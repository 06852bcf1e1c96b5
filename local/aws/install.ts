/** What the local AWS needs and a clone does not have: the emulator, from Python's package index, and Node 24, from npm's. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { projectPath } from "../project.ts";

const run = promisify(execFile);

/** The project's folder for what is installed and may be deleted at any time. */
const LOCAL_FOLDER = projectPath(".local");

/** The release that the tests were written against. */
const EMULATOR_PACKAGE = "ministack==1.5.33";

/** The runtime that the functions declare (`nodejs24.x`). */
const NODE_MAJOR = 24;

/** Gets one line for each step that takes a while. */
export type Progress = (line: string) => void;

/** Python 3 with `venv` is not there. */
export class PythonMissing extends Error {
  override readonly name = "PythonMissing";
  constructor(cause: unknown) {
    super(
      "The AWS emulator needs Python 3.10 or newer with its venv module, as python3 on the PATH (or named in PYTHON).",
      { cause },
    );
  }
}

/** Whether `installEmulator` can work on this machine. */
export async function hasPython(): Promise<boolean> {
  return findPython().then(
    () => true,
    () => false,
  );
}

/**
 * Installs the emulator into `.local/aws` unless it is there.
 *
 * @returns the Python to start it with, as in `<python> -m ministack`
 * @throws PythonMissing; Error when the package index cannot be reached
 */
export async function installEmulator(progress: Progress): Promise<string> {
  const folder = join(LOCAL_FOLDER, "aws");
  await installOnce(folder, EMULATOR_PACKAGE, async (into) => {
    const python = await findPython();
    progress(`Installing ${EMULATOR_PACKAGE} into ${folder} (once)`);
    await run(python, ["-m", "venv", into]);
    await run(join(into, "bin/python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      EMULATOR_PACKAGE,
    ]);
  });
  return join(folder, "bin/python");
}

/**
 * Installs Node 24 into `.local/node24` unless this process runs on it or it is there.
 *
 * @returns the folder of its `node`
 * @throws Error when npm has no build for this machine, or cannot be reached
 */
export async function installNode(progress: Progress): Promise<string> {
  if (process.versions.node.startsWith(`${NODE_MAJOR}.`)) return dirname(process.execPath);
  const name = nodePackage();
  const folder = join(LOCAL_FOLDER, "node24");
  await installOnce(folder, name, async (into) => {
    progress(`Installing ${name} into ${folder} (once)`);
    // npm's `node` only fetches this package by an install script; asked for by name, it needs none.
    await run("npm", [
      "install",
      "--prefix",
      into,
      "--no-save",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      `${name}@${NODE_MAJOR}`,
    ]);
  });
  return join(folder, "node_modules", name, "bin");
}

/** The package that holds the binary for this machine: https://www.npmjs.com/package/node */
function nodePackage(): string {
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${process.platform}-${process.arch}`;
}

/** A name in PYTHON is for machines whose `python3` is too old or lacks `venv`. */
async function findPython(): Promise<string> {
  const python = process.env.PYTHON ?? "python3";
  try {
    await run(python, ["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"]);
  } catch (error) {
    throw new PythonMissing(error);
  }
  return python;
}

/**
 * Fills a folder beside its final place and renames it, so that a broken download leaves nothing behind and of two
 * processes that install at once both find a whole one.
 */
async function installOnce(folder: string, what: string, install: (into: string) => Promise<void>): Promise<void> {
  if (await isInstalled(folder, what)) return;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    await install(unfinished);
    await writeFile(join(unfinished, "installed"), what);
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
  return readFile(join(folder, "installed"), "utf8").then(
    (installed) => installed === what,
    () => false,
  );
}

function installFailed(what: string, error: unknown): Error {
  if (error instanceof PythonMissing) return error;
  const output = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
  return new Error(`Could not install ${what}: ${output || String(error)}`, { cause: error });
}
