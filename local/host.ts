/**
 * The embedded bus: store, socket and undelivered work, which stay, around code that is loaded again when it changes.
 */
import { rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { DISPATCH } from "../shared/deployed-subscriber.ts";
import { logLine } from "../shared/log-line.ts";
import type { Logger } from "../shared/ports.ts";
import { type AdministratorKey, keepAdministratorKey } from "./admin-key.ts";
import { type CurrentApp, currentApp } from "./current-app.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Deliveries } from "./deliveries.ts";
import { Dispatcher } from "./dispatcher.ts";
import { hostsOf, isLoopbackHost } from "./guards.ts";
import { type Delivery, type Journal, openJournal } from "./journal.ts";
import { isLoopback, LOOPBACK } from "./listening.ts";
import { faultOfHost } from "./options.ts";
import { loadCode } from "./reload.ts";
import { startServer } from "./server.ts";
import { createSharedReads } from "./shared-reads.ts";
import { lockDataFolder, openStore, type StoreVia } from "./store.ts";
import { createSubscriberKeys } from "./subscriber-keys.ts";
import { createWakeups } from "./wakeups.ts";
import { LocalWebhookQueue } from "./webhook-queue.ts";

// Nobody who runs the bus here deploys with this Node; the SDK's note about its version would only puzzle them.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** When the bus ends: how long subscribers may go on with what they run, then how long held calls may. */
const SUBSCRIBERS_GRACE_MS = 2_000;
const CALLS_GRACE_MS = 1_000;

/** On AWS it runs each minute; here nobody wants to wait that long for what a crash left behind. */
const RECONCILE_EVERY_MS = 10_000;

export interface EmbeddedBusOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Made if it is not there; one run at a time may use it. */
  readonly dataDir: string;
  /** Absolute path of a `bus.config.ts`. */
  readonly configPath: string;
  /** Whoever calls has to have an agent key. Default false: everybody of this machine is let in. */
  readonly keys?: boolean;
  /** Where to listen beside 127.0.0.1; for other machines only with `keys`. Default: nowhere. */
  readonly host?: string;
  /** Webhooks may lead to this machine. Default false. */
  readonly allowLoopbackWebhooks?: boolean;
  /** Whether to load code again when it changes. Default false. */
  readonly watch?: boolean;
  /** The pause between two runs of the reconciler. Default 10 s. */
  readonly reconcileEveryMs?: number;
  /** Has the store speak DynamoDB, and the functions reach it there or through a proxy. Default: they call it themselves. */
  readonly storeVia?: StoreVia;
  /** Gets log records (one JSON object a line) and what subscribers write to their consoles. Default: nowhere. */
  readonly log?: (line: string) => void;
  /** Called after code was loaded again: `bus`, or a subscriber's name; with the names of all subscribers. */
  readonly onReload?: (what: string, subscribers: readonly string[]) => void;
}

export interface EmbeddedBus {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Where it listens for others: the same, unless it was given a host. */
  readonly outsideUrl: string;
  /** Where the administrator's first key is; null without keys. */
  readonly administratorKey: AdministratorKey | null;
  /** The names of the deployed subscribers, as they are now. */
  readonly subscribers: readonly string[];
  /** Ends streams, waits, subscribers and the store. What was not delivered is delivered by the next run. */
  close(): Promise<void>;
}

/**
 * Starts a bus on this machine. Ready when it resolves.
 *
 * @throws Error for a host that only who asks for keys may listen at; DataFolderInUse; BundleError or what the configuration throws; Error with `code: "EADDRINUSE"`
 */
export async function startEmbeddedBus(options: EmbeddedBusOptions): Promise<EmbeddedBus> {
  // What was started last is ended first.
  const cleanups: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    return await start(options, cleanups, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  {
    port,
    dataDir,
    configPath,
    keys = false,
    host = LOOPBACK,
    allowLoopbackWebhooks = false,
    watch = false,
    reconcileEveryMs = RECONCILE_EVERY_MS,
    storeVia,
    log: print = () => {},
    onReload = () => {},
  }: EmbeddedBusOptions,
  cleanups: (() => Promise<void> | void)[],
  close: () => Promise<void>,
): Promise<EmbeddedBus> {
  const fault = faultOfHost(host, keys);
  if (fault !== null) throw new Error(`host: ${fault}`);
  const log = jsonLogger(print);
  const lock = await lockDataFolder(dataDir);
  cleanups.push(() => lock.release());

  const outDir = join(dataDir, "build");
  await rm(outDir, { recursive: true, force: true });
  const store = await openStore(dataDir, storeVia);
  cleanups.push(() => store.close());

  const journalOf = (name: string): Journal => {
    const journal = openJournal(join(dataDir, name), (lines) =>
      log.warn(`lines of ${name} could not be read; a crash while writing leaves one`, { lines }),
    );
    cleanups.push(() => journal.close());
    return journal;
  };
  const journal = journalOf("deliveries.jsonl");
  const dispatchJournal = journalOf("dispatch.jsonl");

  // A map of a deployment's URLs in this shell must not send the agents' answers there; nor is its key theirs.
  const { AGENT_EVENT_BUS_URLS: _, AGENT_EVENT_BUS_KEY: __, ...inherited } = process.env;
  const env: Record<string, string | undefined> = inherited;
  const app = currentApp();
  const deadLetters = new DeadLetters({ log, record: async (letter) => (await app.get()).recordDeadLetter(letter) });
  cleanups.push(() => deadLetters.close());
  const onDead = ({ subscriber, event, receives }: Delivery, reason: string): void =>
    deadLetters.take({ subscriber, event, reason, attempts: receives });
  const subscriberKeys = keys ? createSubscriberKeys() : null;
  const deliveries = new Deliveries({ journal, log, print, env, keyOf: subscriberKeys?.keyOf, onDead });
  cleanups.push(() => deliveries.close());
  const dispatcher = new Dispatcher({
    journal: dispatchJournal,
    log,
    dispatch: async (event) => (await app.get()).dispatch(event),
  });
  cleanups.push(() => dispatcher.close());
  const webhookQueue = new LocalWebhookQueue({ log, deliver: async (task) => (await app.get()).deliverWebhook(task) });
  cleanups.push(() => webhookQueue.close(CALLS_GRACE_MS));

  const wakeups = createWakeups();
  const reads = createSharedReads();
  let subscribers: readonly string[] = [];
  const server = await startServer({
    port,
    host,
    isOurs: isLoopback(host) ? isLoopbackHost : hostsOf([host, hostname()]),
    identify: async (call) => (await app.get()).identify(call),
    serve: async (request) => (await app.get()).serve(request),
  });
  env.AGENT_EVENT_BUS_URL = server.url;
  cleanups.push(() => server.close(CALLS_GRACE_MS));
  cleanups.push(async () => {
    await deliveries.drain(SUBSCRIBERS_GRACE_MS);
    app.retire();
  });

  const code = await loadCode({
    configPath,
    outDir,
    watch,
    host: {
      table: store.calls,
      reconcileEveryMs,
      wakeups,
      reads,
      accept: (batch) => deliveries.accept(batch),
      acceptForDispatch: (events) => dispatcher.accept(events),
      redeliver: (name, event) => (name === DISPATCH ? dispatcher.accept([event]) : deliveries.redeliver(name, event)),
      webhookQueue,
      allowLoopbackWebhooks,
      subscriberKeys,
      log,
    },
    onApp(next) {
      deliveries.setSubscribers(next.subscribers);
      subscribers = next.subscribers.map(({ name }) => name);
      app.set(next);
    },
    onSubscriberCode: (name, path) => deliveries.setCode(name, path),
    onReload: (what) => onReload(what, subscribers),
    onFailure: (what, error) => print(`could not load ${what}:\n${error.message}`),
  });
  cleanups.push(() => code.close());

  const administratorKey = keys ? await administratorKeyIn(dataDir, app) : null;
  dispatcher.start();
  // Not awaited: a store that is slow to come up keeps nobody from using the bus.
  void webhookQueue.resume(async () => (await app.get()).pendingWebhooks());
  const dead = journal.deadOnes();
  // Told again, should the last run have ended before it could be recorded.
  for (const delivery of dead) onDead(delivery, delivery.reason);
  if (dead.length > 0)
    print(`${dead.length} ${dead.length === 1 ? "delivery is" : "deliveries are"} dead: GET /deliveries says why`);

  return {
    url: server.url,
    outsideUrl: server.outsideUrl,
    administratorKey,
    get subscribers() {
      return subscribers;
    },
    close,
  };
}

async function administratorKeyIn(dataDir: string, app: Pick<CurrentApp, "get">): Promise<AdministratorKey> {
  const current = await app.get();
  return keepAdministratorKey(dataDir, {
    issue: () => current.issueAdministratorKey(),
    async isValid(key) {
      const call = { method: "GET", path: "/agents", authorization: `Bearer ${key}` };
      return (await current.identify(call)).kind === "known";
    },
  });
}

/** One JSON object a line, whatever is in it. */
function jsonLogger(print: (line: string) => void): Logger {
  const write =
    (level: string): Logger["info"] =>
    (message, fields) =>
      print(logLine({ level, message, time: new Date().toISOString() }, fields));
  return { info: write("info"), warn: write("warn"), error: write("error") };
}
