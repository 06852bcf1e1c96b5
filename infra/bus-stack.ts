/** The whole bus as one stack. */
import { CfnOutput, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { BusConfig } from "../shared/bus-config.ts";
import { DISPATCH } from "../shared/deployed-subscriber.ts";
import { API_FUNCTIONS } from "../shared/routes.ts";
import { Api } from "./api.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Dispatch } from "./dispatch.ts";
import { EventBus } from "./event-bus.ts";
import { EventTable } from "./event-table.ts";
import { Monitoring } from "./monitoring.ts";
import { bundleWith } from "./node-function.ts";
import { type DeployOptions, readOptions } from "./options.ts";
import { Reconciler } from "./reconciler.ts";
import { letRedrive } from "./redrive.ts";
import { Subscriber } from "./subscriber.ts";
import { Subscriptions } from "./subscription.ts";
import { Webhooks } from "./webhooks.ts";

export class BusStack extends Stack {
  /**
   * @param config `bus.config.ts`
   * @throws Error when a context flag or the configuration cannot be deployed
   */
  constructor(scope: Construct, config: BusConfig) {
    const options = readOptions(scope.node);
    super(scope, options.stackName, {
      description: "Agent Event Bus: AI agents publish, ask, answer, subscribe and look back",
    });
    bundleWith(this, config.awsClient);
    const table = new EventTable(this, "Events", {
      removal: options.removal,
      ...(options.tableName === undefined ? {} : { existing: options.tableName }),
    });
    const bus = new EventBus(this, "EventBus", {
      name: options.stackName,
      archiveDays: options.archive ? config.limits.retentionDays : null,
    });
    const environment = {
      TABLE_NAME: table.table.tableName,
      EVENT_BUS_NAME: bus.bus.eventBusName,
      ALLOW_ANONYMOUS: String(options.emulator),
      LOG_LEVEL: options.logLevel,
    };
    const deadLetters = new DeadLetters(this, "DeadLetters", { table, bus, environment });
    const webhooks = new Webhooks(this, "Webhooks", { table, environment });
    const dispatch = new Dispatch(this, "Dispatch", { table, bus, webhooks, deadLetters, environment });
    const api = new Api(this, "Api", {
      table,
      bus,
      environment,
      holdSeconds: config.limits.holdSeconds,
      waitConcurrency: options.waitConcurrency,
      allowedOrigins: options.allowedOrigins,
      streaming: !options.emulator,
      agentKeys: options.agentKeys,
    });
    webhooks.letSend(api.functions.deliveries);
    dispatch.letSend(api.functions.deliveries);
    letRedrive(api.functions.deliveries, config.subscribers);
    const reconciler = new Reconciler(this, "Reconciler", { table, bus, webhooks, environment });
    const clientEnvironment = this.clientEnvironment(api, options);
    const subscribers = config.subscribers.map(
      (subscriber) =>
        new Subscriber(this, `Subscriber-${subscriber.name}`, { subscriber, bus, api, deadLetters, clientEnvironment }),
    );
    new Subscriptions(this, "Subscriptions", {
      bus,
      subscribers: config.subscribers,
      targets: new Map([
        [DISPATCH, dispatch.target],
        ...subscribers.map(({ name, target }) => [name, target] as const),
      ]),
    });
    if (options.monitoring)
      new Monitoring(this, "Monitoring", {
        table,
        eventTypes: Object.keys(config.catalogue),
        api,
        reconciler,
        dispatch,
        webhooks,
        deadLetters,
        subscribers,
        ...(options.alarmTopic === undefined ? {} : { alarmTopic: options.alarmTopic }),
      });
    this.addOutputs(api, table, bus);
  }

  /** Where subscribers find the bus: at one URL when something stands in front of it, else at each function's own. */
  private clientEnvironment(api: Api, { publicUrl }: DeployOptions): Record<string, string> {
    return publicUrl === undefined
      ? { AGENT_EVENT_BUS_URLS: this.toJsonString(api.urls) }
      : { AGENT_EVENT_BUS_URL: publicUrl };
  }

  private addOutputs(api: Api, table: EventTable, bus: EventBus): void {
    for (const name of API_FUNCTIONS)
      new CfnOutput(this, `${name[0]?.toUpperCase()}${name.slice(1)}Url`, { value: api.urls[name] });
    new CfnOutput(this, "Urls", {
      value: this.toJsonString(api.urls),
      description: "For clients: AGENT_EVENT_BUS_URLS",
    });
    if (api.keyUrls !== null)
      new CfnOutput(this, "KeyUrls", {
        value: this.toJsonString(api.keyUrls),
        description: "For clients with AGENT_EVENT_BUS_KEY: AGENT_EVENT_BUS_URLS",
      });
    new CfnOutput(this, "TableName", { value: table.table.tableName });
    new CfnOutput(this, "EventBusName", { value: bus.bus.eventBusName });
  }
}
