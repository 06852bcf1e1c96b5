/**
 * Programs that the bus is compared with: from the PATH, else from the system's packages, unpacked into a folder. Nothing is
 * installed, no service is started, and nobody has to be root.
 */
import { execFile } from "node:child_process";
import { access, constants, mkdir, readdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Downloads of a few megabytes each. */
const FETCH_MS = 120_000;

/** Where packages keep programs and shared libraries. */
const PROGRAM_FOLDERS = ["usr/sbin", "usr/bin", "usr/local/bin"];
const LIBRARY_FOLDER = "usr/lib";

export type Program =
  | { readonly kind: "found"; readonly path: string; readonly env: Readonly<Record<string, string>> }
  /** Why it cannot be had, as a sentence. */
  | { readonly kind: "missing"; readonly why: string };

export interface WantedProgram {
  /** `redis-server` */
  readonly name: string;
  /** Those that it is in, as Debian and its kin name them; the shared libraries that they need come along. */
  readonly packages: readonly string[];
}

/** Looks a program up, or fetches it. Never throws. @param workDir where it is unpacked, and found the next time */
export async function findProgram({ name, packages }: WantedProgram, workDir: string): Promise<Program> {
  const installed = await firstThatRuns((process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, name)));
  if (installed !== null) return { kind: "found", path: installed, env: {} };
  const root = join(workDir, "packages", name);
  try {
    return (await unpackedIn(root, name)) ?? (await fetchInto(root, { name, packages }));
  } catch (error) {
    // What was half done is begun anew the next time.
    await rm(root, { recursive: true, force: true });
    return { kind: "missing", why: `${name} is not installed here and could not be fetched: ${reasonOf(error)}` };
  }
}

async function fetchInto(root: string, { name, packages }: WantedProgram): Promise<Program> {
  if (process.platform !== "linux" || !(await canRun("apt-get")) || !(await canRun("dpkg-deb")))
    return {
      kind: "missing",
      why: `${name} is not on the PATH, and this machine has no apt-get to fetch it with: install it to compare.`,
    };
  const downloads = join(root, "downloads");
  await mkdir(downloads, { recursive: true });
  const lists = await listsThatKnow(packages, root);
  const libraries = await librariesOf(packages, lists);
  await apt(["download", ...packages, ...libraries], lists, downloads);
  for (const file of (await readdir(downloads)).filter((file) => file.endsWith(".deb")))
    await run("dpkg-deb", ["-x", join(downloads, file), root]);
  const found = await unpackedIn(root, name);
  if (found === null) throw new Error(`the packages ${packages.join(", ")} do not hold it`);
  return found;
}

/** Options that make apt read other lists of packages than the system's. */
type Lists = readonly string[];

/** The system's lists, where they know the packages; else fresh ones in a folder of our own: an image may come without. */
async function listsThatKnow(packages: readonly string[], root: string): Promise<Lists> {
  const isKnown = await run("apt-cache", ["show", ...packages]).then(
    () => true,
    () => false,
  );
  if (isKnown) return [];
  const [lists, cache] = [join(root, "lists"), join(root, "cache")];
  for (const folder of [lists, cache]) await mkdir(join(folder, "partial"), { recursive: true });
  const own = ["-o", `Dir::State::Lists=${lists}`, "-o", `Dir::Cache=${cache}`];
  await apt(["update"], own, root);
  return own;
}

/** The shared libraries that packages name directly and that are not installed. */
async function librariesOf(packages: readonly string[], lists: Lists): Promise<string[]> {
  const { stdout } = await run("apt-cache", [...lists, "depends", "--important", ...packages]);
  const names = [...stdout.matchAll(/^ {2}(?:Pre)?Depends: (lib[\w.+-]+)$/gm)].map(([, library]) => library as string);
  const needed: string[] = [];
  for (const library of new Set(names)) if (!(await isInstalled(library))) needed.push(library);
  return needed;
}

const isInstalled = (name: string): Promise<boolean> =>
  run("dpkg-query", ["--status", name]).then(
    ({ stdout }) => stdout.includes("\nStatus: install ok installed\n"),
    () => false,
  );

const apt = (args: readonly string[], lists: Lists, cwd: string): Promise<unknown> =>
  run("apt-get", [...lists, ...args], { cwd, timeout: FETCH_MS });

async function unpackedIn(root: string, name: string): Promise<Program | null> {
  const path = await firstThatRuns(PROGRAM_FOLDERS.map((folder) => join(root, folder, name)));
  if (path === null) return null;
  const libraries = join(root, LIBRARY_FOLDER);
  // Each architecture has a folder of its own: x86_64-linux-gnu.
  const folders = await readdir(libraries, { withFileTypes: true }).catch(() => []);
  const searched = [
    libraries,
    ...folders.filter((each) => each.isDirectory()).map((each) => join(libraries, each.name)),
  ];
  return { kind: "found", path, env: folders.length === 0 ? {} : { LD_LIBRARY_PATH: searched.join(delimiter) } };
}

async function firstThatRuns(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return null;
}

async function canRun(name: string): Promise<boolean> {
  return (await firstThatRuns((process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, name)))) !== null;
}

/** The last line that a program wrote about what went wrong. */
function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim().split("\n").at(-1) || message.split("\n")[0]) ?? message;
}
