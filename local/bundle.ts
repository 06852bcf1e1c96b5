/** Bundles TypeScript into modules that can be imported again after a change. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, type BuildResult, build, context, formatMessagesSync, type Plugin } from "esbuild";
import { PROJECT_ROOT } from "./project.ts";

/** A file to be bundled, or the text of one. */
export type BundleSource = { readonly entry: string } | { readonly text: string };

export type BundleRequest = BundleSource & {
  /** The start of the output's name. */
  readonly name: string;
  readonly outDir: string;
};

/** The code cannot be bundled; the message says where and why, as a compiler does. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

/** Bundles once. @returns the absolute path of the module. @throws BundleError */
export async function bundleOnce(request: BundleRequest): Promise<string> {
  try {
    return writeOutput(request, await build(buildOptions(request)));
  } catch (error) {
    throw asBundleError(error);
  }
}

export interface WatchedBundle {
  close(): Promise<void>;
}

/** What happens with what is built. */
export interface BundleUser {
  /** Gets the path of a module that is another than the one in use. When it throws, that one stays in use. */
  take(path: string): Promise<void>;
  /** Gets why something could not be bundled (a BundleError), or what `take` threw. */
  onFailure(error: Error): void;
}

/**
 * Bundles, and again whenever a file that went into it changes. The first outcome is handed over before it resolves.
 * The module in use is the only one that is kept.
 */
export async function bundleAndWatch(request: BundleRequest, user: BundleUser): Promise<WatchedBundle> {
  let inUse: string | null = null;
  let closed = false;
  let handedOver: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    handedOver = resolve;
  });
  // Outcomes are handed over one after the other, or an older one could overtake a newer.
  let turn = Promise.resolve();
  const hand = async (result: BuildResult): Promise<void> => {
    if (closed) return;
    if (result.errors.length > 0) throw asBundleError(result);
    const path = writeOutput(request, result);
    if (path === inUse) return;
    let useless: string | null = path;
    try {
      await user.take(path);
      useless = inUse;
      inUse = path;
    } finally {
      if (useless !== null && !closed) rmSync(useless, { force: true });
    }
  };
  const report: Plugin = {
    name: "report",
    setup: ({ onEnd }) =>
      onEnd((result) => {
        turn = turn
          .then(() => hand(result))
          .catch((error) => user.onFailure(error))
          .then(handedOver);
      }),
  };
  const options = buildOptions(request);
  const watched = await context({ ...options, plugins: [...(options.plugins ?? []), report] });
  await watched.watch();
  await first;
  return {
    close() {
      closed = true;
      return watched.dispose();
    },
  };
}

function buildOptions(request: BundleRequest): BuildOptions & { write: false } {
  return {
    ...("entry" in request
      ? { entryPoints: [request.entry] }
      : {
          stdin: { contents: request.text, resolveDir: PROJECT_ROOT, sourcefile: `${request.name}.ts`, loader: "ts" },
        }),
    absWorkingDir: PROJECT_ROOT,
    outfile: join(request.outDir, `${request.name}.mjs`),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "silent",
    write: false,
    plugins: [packagesByPath],
  };
}

/**
 * Leaves packages out of the bundle, and names them by the file they resolve to from the source: the bundle stands in
 * the data folder, from which their names lead nowhere.
 */
const packagesByPath: Plugin = {
  name: "packages-by-path",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[^./#]/ }, async ({ path, resolveDir, kind, importer, pluginData }) => {
      if (
        pluginData === packagesByPath ||
        path.startsWith("node:") ||
        kind === "entry-point" ||
        /^[A-Za-z]:/.test(path)
      )
        return;
      const resolved = await esbuild.resolve(path, { resolveDir, kind, importer, pluginData: packagesByPath });
      if (resolved.errors.length > 0) return { errors: resolved.errors };
      if (resolved.external) return { path: resolved.path, external: true };
      return { path: pathToFileURL(resolved.path).href, external: true };
    });
    // What Node takes for `import`, and not what bundlers prefer.
    esbuild.initialOptions.conditions = ["node"];
    esbuild.initialOptions.mainFields = ["main"];
  },
};

/** Writes under a name made of the content: the same code is the same module. */
function writeOutput({ name, outDir }: BundleRequest, result: BuildResult): string {
  const output = result.outputFiles?.[0];
  if (output === undefined) throw new BundleError(`esbuild made nothing of ${name}`);
  const hash = createHash("sha256").update(output.contents).digest("hex").slice(0, 12);
  const path = join(outDir, `${name}-${hash}.mjs`);
  mkdirSync(outDir, { recursive: true });
  if (!existsSync(path)) {
    // Renamed into place, so that a kill leaves no half a module under a name that promises a whole one.
    writeFileSync(`${path}.new`, output.contents);
    renameSync(`${path}.new`, path);
  }
  return path;
}

function asBundleError(error: unknown): BundleError {
  const errors = (error as Partial<BuildResult>).errors;
  if (!Array.isArray(errors)) return new BundleError(String(error), { cause: error });
  return new BundleError(formatMessagesSync(errors, { kind: "error", color: false }).join("").trim());
}
