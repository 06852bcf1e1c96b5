/**
 * Rules: the binding of event types to subscribers.
 *
 * One rule brings all events to dispatch, which knows the run-time subscriptions. One rule per event type carries its
 * unfiltered subscriptions, five targets a rule, with sibling rules beyond that; a filtered subscription has a rule of its
 * own. What EventBridge would refuse is refused here, before anything is
 * deployed.
 */
import { type IRuleTarget, Rule } from "aws-cdk-lib/aws-events";
import { Construct } from "constructs";
import { type DeployedSubscriber, DISPATCH } from "../shared/deployed-subscriber.ts";
import { EVENT_SOURCE } from "../shared/event.ts";
import { MAX_PATTERN_CHARS } from "../shared/event-pattern/compile.ts";
import type { EventPattern } from "../shared/event-pattern.ts";
import type { EventBus } from "./event-bus.ts";

/** Quotas of EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const MAX_RULES_PER_BUS = 300;
const MAX_TARGETS_PER_RULE = 5;

export interface PlannedRule {
  /** Unique in the plan, and the same in every deployment that has the rule. */
  readonly id: string;
  readonly description: string;
  readonly pattern: {
    readonly source: string[];
    /** Absent: every type. */
    readonly "detail-type"?: string[];
    readonly detail?: EventPattern;
  };
  /** Names of subscribers; `DISPATCH` is one of them. */
  readonly targets: readonly string[];
}

/** Also what nobody wants yet: somebody may subscribe at any moment, and a new type needs no change. */
const DISPATCH_RULE: PlannedRule = {
  id: "dispatch",
  description: "Everything to the subscriptions that are made at run time",
  pattern: { source: [EVENT_SOURCE] },
  targets: [DISPATCH],
};

/** The rules that bring every subscriber its events. @throws Error that lists every quota exceeded */
export function planRules(subscribers: readonly DeployedSubscriber[]): PlannedRule[] {
  const rules = [DISPATCH_RULE, ...unfilteredRules(subscribers), ...filteredRules(subscribers)];
  const faults = rules.flatMap(({ id, pattern }) => {
    const chars = JSON.stringify(pattern).length;
    return chars > MAX_PATTERN_CHARS
      ? [`the pattern of rule ${id} has ${chars} characters; EventBridge takes ${MAX_PATTERN_CHARS}`]
      : [];
  });
  if (rules.length > MAX_RULES_PER_BUS)
    faults.push(
      `the bus and its subscribers need ${rules.length} rules; an EventBridge bus has ${MAX_RULES_PER_BUS}. ` +
        "Drop filters, or let fewer subscribers want each type",
    );
  if (faults.length > 0)
    throw new Error(`bus.config.ts cannot be deployed:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  return rules;
}

function unfilteredRules(subscribers: readonly DeployedSubscriber[]): PlannedRule[] {
  const byType = new Map<string, string[]>();
  for (const { name, on, filter } of subscribers)
    if (filter === undefined) for (const type of new Set(on)) byType.set(type, [...(byType.get(type) ?? []), name]);
  return [...byType].flatMap(([type, names]) =>
    inGroupsOf(MAX_TARGETS_PER_RULE, names).map((targets, i) => ({
      // A colon is in no name, so no two rules come to the same id.
      id: i === 0 ? `type:${type}` : `type:${type}:${i + 1}`,
      description: `${type} to ${targets.join(", ")}`,
      pattern: { source: [EVENT_SOURCE], "detail-type": [type] },
      targets,
    })),
  );
}

function filteredRules(subscribers: readonly DeployedSubscriber[]): PlannedRule[] {
  return subscribers.flatMap(({ name, on, filter }) =>
    filter === undefined
      ? []
      : [
          {
            id: `filter:${name}`,
            description: `What ${name} wants`,
            pattern: { source: [EVENT_SOURCE], "detail-type": [...new Set(on)], detail: filter },
            targets: [name],
          },
        ],
  );
}

function inGroupsOf<T>(size: number, items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

export interface SubscriptionsProps {
  readonly bus: EventBus;
  readonly subscribers: readonly DeployedSubscriber[];
  /** Of every subscriber, by its name, and of `DISPATCH`. */
  readonly targets: ReadonlyMap<string, IRuleTarget>;
}

/** The planned rules, on the bus. */
export class Subscriptions extends Construct {
  constructor(scope: Construct, id: string, props: SubscriptionsProps) {
    super(scope, id);
    for (const { id: ruleId, description, pattern, targets } of planRules(props.subscribers)) {
      const { "detail-type": detailType, ...rest } = pattern;
      new Rule(this, ruleId, {
        eventBus: props.bus.bus,
        description,
        eventPattern: detailType === undefined ? rest : { ...rest, detailType },
        targets: targets.map((name) => {
          const target = props.targets.get(name);
          if (target === undefined) throw new Error(`There is no target for subscriber "${name}"`);
          return target;
        }),
      });
    }
  }
}
