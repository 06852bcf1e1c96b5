/** Which bundles there are, and what happens when one of them is built anew. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { DeployedSubscriber } from "../shared/deployed-subscriber.ts";
import type { App, Host } from "./app.ts";
import { type BundleRequest, bundleAndWatch, bundleOnce, type WatchedBundle } from "./bundle.ts";
import { PROJECT_ROOT, projectPath } from "./project.ts";

export interface ReloadOptions {
  readonly configPath: string;
  readonly outDir: string;
  /** Whether to look for changes. Without it, a subscriber that cannot be built is an error. */
  readonly watch: boolean;
  readonly host: Host;
  readonly onApp: (app: App) => void;
  /** Throws when the code cannot be loaded. */
  readonly onSubscriberCode: (subscriber: string, path: string) => Promise<void>;
  /** Called once for every version after the first: `bus`, or the name of a subscriber. */
  readonly onReload: (what: string) => void;
  /** What could not be built or loaded; the code before it stays. */
  readonly onFailure: (what: string, error: Error) => void;
}

/** What is built, and rebuilt. Make one with `loadCode`. */
export interface LoadedCode {
  close(): Promise<void>;
}

/** Builds and loads the bus and its subscribers. @throws BundleError, or what `bus.config.ts` throws */
export async function loadCode(options: ReloadOptions): Promise<LoadedCode> {
  const { host, onApp, onReload, onFailure, watch, outDir } = options;
  const subscribers = new Map<string, { handler: string; bundle: Promise<WatchedBundle | null> }>();

  async function take(path: string): Promise<void> {
    const { create } = (await import(pathToFileURL(path).href)) as { create: (host: Host) => App };
    const app = create(host);
    onApp(app);
    await takeSubscribers(app.subscribers);
  }

  /** Builds what is new, lets go of what is gone. */
  async function takeSubscribers(wanted: readonly DeployedSubscriber[]): Promise<void> {
    for (const [name, { handler, bundle }] of subscribers) {
      if (wanted.some((subscriber) => subscriber.name === name && subscriber.handler === handler)) continue;
      subscribers.delete(name);
      await (await bundle)?.close();
    }
    for (const [i, { name, handler }] of wanted.entries())
      if (!subscribers.has(name)) {
        const at = `subscribers[${i}].handler (${name})`;
        subscribers.set(name, { handler, bundle: loadSubscriber(options, { name, handler, at }) });
      }
    await Promise.all([...subscribers.values()].map(({ bundle }) => bundle));
  }

  const bus: BundleRequest = { name: "bus", outDir, text: busEntry(options.configPath) };
  const closeSubscribers = async (): Promise<void> => {
    for (const { bundle } of subscribers.values()) await (await bundle)?.close();
  };
  if (!watch) {
    await take(await bundleOnce(bus));
    return { close: closeSubscribers };
  }

  let loadedOnce = false;
  let firstFailure: Error | null = null;
  const watched = await bundleAndWatch(bus, {
    async take(path) {
      await take(path);
      if (loadedOnce) onReload("bus");
      loadedOnce = true;
    },
    onFailure(error) {
      if (loadedOnce) onFailure("bus", error);
      else firstFailure = error;
    },
  });
  const close = async (): Promise<void> => {
    await watched.close();
    await closeSubscribers();
  };
  if (firstFailure !== null) {
    await close();
    throw firstFailure;
  }
  return { close };
}

/** @param subscriber `at` is where the configuration names its handler */
async function loadSubscriber(
  { outDir, watch, onSubscriberCode, onReload, onFailure }: ReloadOptions,
  { name, handler, at }: { name: string; handler: string; at: string },
): Promise<WatchedBundle | null> {
  const handlerPath = resolve(PROJECT_ROOT, handler);
  const request: BundleRequest = { name: `subscriber-${name}`, outDir, text: subscriberEntry(name, handlerPath) };
  /** What the bundler says shows a file that its author has never seen. */
  const explain = (error: Error): Error =>
    existsSync(handlerPath) ? error : new Error(`${at}: there is no file ${handlerPath}`, { cause: error });

  if (!watch) {
    try {
      await onSubscriberCode(name, await bundleOnce(request));
    } catch (error) {
      throw explain(error as Error);
    }
    return null;
  }
  let reported = false;
  return bundleAndWatch(request, {
    async take(path) {
      await onSubscriberCode(name, path);
      if (reported) onReload(name);
      reported = true;
    },
    onFailure(error) {
      onFailure(name, explain(error));
      reported = true;
    },
  });
}

// One bundle for the configuration and the domain: a schema's BusError must be the handlers' BusError.
const busEntry = (configPath: string): string => `
  import config from ${JSON.stringify(configPath)};
  import { createApp } from ${JSON.stringify(projectPath("local/app.ts"))};
  export const create = (host) => createApp(config, host);
`;

const subscriberEntry = (name: string, handlerPath: string): string => `
  import * as subscriber from ${JSON.stringify(handlerPath)};
  import { serve } from ${JSON.stringify(projectPath("local/handler-serve.ts"))};
  serve(${JSON.stringify(name)}, subscriber.handler);
`;
