/** How a function's code is bundled: for the deployment, and for whoever measures what is deployed. */
import { join } from "node:path";
import type { BuildOptions } from "esbuild";
import type { AwsClient } from "../shared/aws-client.ts";

/** The project's root: entries are found from here, wherever a command is run. */
export const PROJECT_ROOT = join(import.meta.dirname, "..");

/**
 * Measured: CommonJS, minified, `module` first is the bundle that starts fastest; the SDK that Lambda brings is larger and
 * changes under one's feet. Source maps would be read at every start, so there are none.
 */
export const BUNDLE = {
  format: "cjs",
  target: "node24",
  minify: true,
  mainFields: ["module", "main"],
  sourcemap: false,
} as const;

/** Which of two modules `#…` names in `package.json`. The other is not in the bundle at all. */
const CONDITIONS: Readonly<Record<AwsClient, readonly string[]>> = {
  // Once any are named, esbuild's own goes unless it is named too.
  lean: ["module", "deployed"],
  sdk: ["module", "deployed", "aws-sdk"],
};

/** What differs between bundles, as options of esbuild. */
export interface BundleChoice {
  readonly conditions: readonly string[];
  /** Modules in place of others. */
  readonly alias: Readonly<Record<string, string>>;
}

/** @param entry the module that exports `handler`, relative to the project's root */
export function bundleChoice(entry: string, awsClient: AwsClient): BundleChoice {
  // A deployed subscriber's code is its author's, who may have credentials from anywhere.
  const isOwnCode = entry.startsWith("functions/");
  return {
    conditions: CONDITIONS[awsClient],
    alias: isOwnCode
      ? { "@aws-sdk/credential-provider-node": join(PROJECT_ROOT, "functions/runtime/aws/lambda-credentials.ts") }
      : {},
  };
}

/** The bundle of a deployed function as options of esbuild, for whoever makes it without CDK. */
export function functionBundle(entry: string, awsClient: AwsClient): BuildOptions {
  const { conditions, alias } = bundleChoice(entry, awsClient);
  return {
    ...BUNDLE,
    entryPoints: [join(PROJECT_ROOT, entry)],
    absWorkingDir: PROJECT_ROOT,
    bundle: true,
    platform: "node",
    mainFields: [...BUNDLE.mainFields],
    conditions: [...conditions],
    alias: { ...alias },
  };
}
