/** What happens on the bus, over time. */
import { Dashboard, GraphWidget, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { DISPATCH } from "../shared/deployed-subscriber.ts";
import { API_FUNCTIONS } from "../shared/routes.ts";
import { deadLettersOf, most, PERIOD, sum } from "./metrics.ts";
import type { Watched } from "./watched.ts";

export function addDashboard(scope: Construct, watched: Watched): void {
  const { api, dispatch, webhooks, deadLetters, subscribers } = watched;
  const calls = API_FUNCTIONS.map((name) => ({ name, lambda: api.functions[name].function }));
  const workers = [
    { name: "dispatch", lambda: dispatch.function.function },
    { name: "deliver-webhook", lambda: webhooks.function.function },
    { name: "dead-letters", lambda: deadLetters.function.function },
  ];
  new Dashboard(scope, "Dashboard", {
    widgets: [
      [
        graph(
          "Calls",
          calls.map(({ name, lambda }) => lambda.metricInvocations({ ...sum, label: name })),
        ),
        graph(
          "Duration (p99)",
          [...calls, ...workers].map(({ name, lambda }) =>
            lambda.metricDuration({ statistic: "p99", period: PERIOD, label: name }),
          ),
        ),
        graph(
          "Errors and throttles",
          [...calls, ...workers].flatMap(({ name, lambda }) => [
            lambda.metricErrors({ ...sum, label: `${name} errors` }),
            lambda.metricThrottles({ ...sum, label: `${name} throttles` }),
          ]),
        ),
      ],
      [
        graph(
          "Dead letters",
          [DISPATCH, ...subscribers.map(({ name }) => name)].map((name) =>
            deadLettersOf(scope, name).with({ label: name }),
          ),
        ),
        graph("Oldest message (s)", [
          oldestMessage(dispatch.queue, "dispatch"),
          oldestMessage(webhooks.queue, "webhooks"),
          ...subscribers.flatMap(({ name, queue }) => (queue === null ? [] : [oldestMessage(queue, name)])),
        ]),
        graph(
          "Subscriber errors",
          subscribers.map(({ name, function: handler }) => handler.function.metricErrors({ ...sum, label: name })),
        ),
      ],
      [
        graph("Dispatch", [
          dispatch.queue.metricNumberOfMessagesSent({ ...sum, label: "events to dispatch" }),
          webhooks.queue.metricNumberOfMessagesSent({ ...sum, label: "webhooks sent for" }),
        ]),
        graph("Webhooks that wait", [
          webhooks.queue.metricApproximateNumberOfMessagesNotVisible({ ...most, label: "for their next attempt" }),
          webhooks.queue.metricApproximateNumberOfMessagesVisible({ ...most, label: "for a function" }),
        ]),
      ],
    ],
  });
}

const oldestMessage = (queue: Queue, label: string): IMetric =>
  queue.metricApproximateAgeOfOldestMessage({ ...most, label });

const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 8 });
