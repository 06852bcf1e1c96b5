/**
 * URLs for agents that have a key in place of an identity of IAM. A function can have one URL of its own, and that takes
 * signed calls; this one stands on an alias that always leads to the same code. Anybody may call it, so the function asks
 * for the key itself.
 */
import { Alias, FunctionUrlAuthType, type FunctionUrlOptions } from "aws-cdk-lib/aws-lambda";
import type { NodeFunction } from "./node-function.ts";

export function addKeyUrl(of: NodeFunction, options: Omit<FunctionUrlOptions, "authType">): string {
  const alias = new Alias(of, "Keys", { aliasName: "keys", version: of.function.latestVersion });
  return alias.addFunctionUrl({ authType: FunctionUrlAuthType.NONE, ...options }).url;
}
