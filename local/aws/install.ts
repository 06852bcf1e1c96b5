/**
 * What the local AWS needs and a clone does not have: the emulator, from Python's package index, and Node 24, from
 * npm's.
 */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { projectPath } from "../project.ts";
import { installOnce } from "./install-once.ts";

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

/** Whether the emulator can be installed on this machine. */
export async function hasPython(): Promise<boolean> {
  return findPython().then(
    () => true,
    () => false,
  );
}

export interface Installed {
  /** The Python to start the emulator with. */
  readonly python: string;
  /** The folder of Node 24's `node`. */
  readonly nodeFolder: string;
}

/**
 * Installs what is missing, the emulator first: where there is no Python, nothing is downloaded.
 *
 * @throws PythonMissing; Error when a package index cannot be reached, or npm has no Node for this machine
 */
export async function install(progress: Progress, folder = LOCAL_FOLDER): Promise<Installed> {
  const python = await installEmulator(progress, join(folder, "aws"));
  const nodeFolder = await installNode(progress, join(folder, "node24"));
  return { python, nodeFolder };
}

async function installEmulator(progress: Progress, folder: string): Promise<string> {
  await installOnce(folder, EMULATOR_PACKAGE, async (into) => {
    const python = await findPython();
    progress(`Installing ${EMULATOR_PACKAGE} into ${folder} (once)`);
    await run(python, ["-m", "venv", into]);
    const options = ["--quiet", "--disable-pip-version-check"];
    await run(join(into, "bin/python"), ["-m", "pip", "install", ...options, EMULATOR_PACKAGE]);
  });
  return join(folder, "bin/python");
}

async function installNode(progress: Progress, folder: string): Promise<string> {
  // This process runs on it.
  if (process.versions.node.startsWith(`${NODE_MAJOR}.`)) return dirname(process.execPath);
  const name = nodePackage();
  await installOnce(folder, name, async (into) => {
    progress(`Installing ${name} into ${folder} (once)`);
    // npm's `node` only fetches this package by an install script; asked for by name, it needs none.
    const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
    await run("npm", ["install", "--prefix", into, ...options, `${name}@${NODE_MAJOR}`]);
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
