/**
 * Every price and quota that the model goes by, each with its unit and where it stands. Look them up again before deciding by
 * them: what is written here was read on the day below, in pages stored between 2025 and that day, and not from a bill.
 *
 * Where nothing could be found, or it cannot be known, there is an assumption, with its reason.
 */

/** When they were read. */
export const READ_ON = "2026-11-24";

/** A number that AWS says. */
export interface Fact {
  readonly value: number;
  readonly unit: string;
  /** The page of AWS. */
  readonly source: string;
  /** Whether AWS raises it for who asks; for prices left out. */
  readonly isAdjustable?: boolean;
}

/** A number that the model supposes. */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly because: string;
}

const LAMBDA = "https://aws.amazon.com/lambda/pricing/";
const DYNAMO = "https://aws.amazon.com/dynamodb/pricing/on-demand/";
const QUOTAS = {
  eventBridge: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
  lambda: "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
  lambdaScaling: "https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html",
  lambdaQueues: "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
  dynamo: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html",
  partitions: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
  queues: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
} as const;

/** In US dollars, in N. Virginia, first tier, without free tiers and discounts. */
export const PRICES = {
  eventBridgeEvents: {
    value: 1,
    unit: "$ per million of 64 KB",
    source: "https://aws.amazon.com/eventbridge/pricing/",
  },
  dynamoWrites: { value: 0.625, unit: "$ per million write units", source: DYNAMO },
  dynamoReads: { value: 0.125, unit: "$ per million read units", source: DYNAMO },
  dynamoStorage: { value: 0.25, unit: "$ per GB-month", source: DYNAMO },
  dynamoBackup: { value: 0.2, unit: "$ per GB-month of point-in-time recovery", source: DYNAMO },
  lambdaInvocations: { value: 0.2, unit: "$ per million", source: LAMBDA },
  lambdaDuration: { value: 0.0000133334, unit: "$ per GB-second on arm64", source: LAMBDA },
  sqsRequests: { value: 0.4, unit: "$ per million of 64 KB", source: "https://aws.amazon.com/sqs/pricing/" },
  logs: { value: 0.5, unit: "$ per GB taken in", source: "https://aws.amazon.com/cloudwatch/pricing/" },
  dataOut: { value: 0.09, unit: "$ per GB to the internet", source: "https://aws.amazon.com/ec2/pricing/on-demand/" },
  stepFunctions: {
    value: 25,
    unit: "$ per million transitions",
    source: "https://aws.amazon.com/step-functions/pricing/",
  },
  durableOperations: { value: 8, unit: "$ per million", source: LAMBDA },
  durableWrites: { value: 0.25, unit: "$ per GB written", source: LAMBDA },
} as const satisfies Record<string, Fact>;

/** Quotas that are the same in every region. */
export const QUOTA = {
  concurrency: { value: 1_000, unit: "environments of an account", source: QUOTAS.lambda, isAdjustable: true },
  invocationsPerEnvironment: {
    value: 10,
    unit: "invocations a second for each",
    source: QUOTAS.lambda,
    isAdjustable: false,
  },
  scalingPerSecond: {
    value: 100,
    unit: "more environments a second of a function",
    source: QUOTAS.lambdaScaling,
    isAdjustable: false,
  },
  environmentsOfQueue: {
    value: 1_000,
    unit: "environments that take from a queue",
    source: QUOTAS.lambdaQueues,
    isAdjustable: false,
  },
  messagesInFlight: {
    value: 120_000,
    unit: "messages of a queue taken and not deleted",
    source: QUOTAS.queues,
    isAdjustable: true,
  },
  tableWrites: {
    value: 40_000,
    unit: "write units a second of a table, or of an index",
    source: QUOTAS.dynamo,
    isAdjustable: true,
  },
  tableReads: {
    value: 40_000,
    unit: "read units a second of a table, or of an index",
    source: QUOTAS.dynamo,
    isAdjustable: true,
  },
  keyWrites: {
    value: 1_000,
    unit: "write units a second of a partition",
    source: QUOTAS.partitions,
    isAdjustable: false,
  },
  keyReads: {
    value: 3_000,
    unit: "read units a second of a partition",
    source: QUOTAS.partitions,
    isAdjustable: false,
  },
  targetsOfRule: { value: 5, unit: "targets of a rule", source: QUOTAS.eventBridge, isAdjustable: false },
} as const satisfies Record<string, Fact>;

/** What EventBridge takes in a region. */
export interface Region {
  /** PutEvents requests a second. */
  readonly putEvents: number;
  /** Events brought to targets a second; what is over comes later. */
  readonly invocations: number;
  readonly rulesOfBus: number;
}

/**
 * By name, as AWS has them (`REGION_SOURCE`); all can be raised. `small` are the smallest. PutEvents was read for us-east-1,
 * us-east-2 and the smallest; for the others, of which the excerpts had the invocations alone, it is taken from regions with as
 * many of these: everywhere they are 1.875 for each request.
 */
export const REGIONS = {
  "us-east-1": { putEvents: 10_000, invocations: 18_750, rulesOfBus: 300 },
  "us-west-2": { putEvents: 10_000, invocations: 18_750, rulesOfBus: 300 },
  "eu-west-1": { putEvents: 10_000, invocations: 18_750, rulesOfBus: 300 },
  "us-east-2": { putEvents: 2_400, invocations: 4_500, rulesOfBus: 300 },
  "eu-central-1": { putEvents: 2_400, invocations: 4_500, rulesOfBus: 300 },
  "ap-northeast-1": { putEvents: 1_200, invocations: 2_250, rulesOfBus: 300 },
  "eu-west-2": { putEvents: 1_200, invocations: 2_250, rulesOfBus: 300 },
  small: { putEvents: 400, invocations: 750, rulesOfBus: 100 },
} as const satisfies Record<string, Region>;

export type RegionName = keyof typeof REGIONS;
export const REGION_SOURCE = QUOTAS.eventBridge;

/** What cannot be looked up. */
export const ASSUMED = {
  dynamoMs: {
    value: 5,
    unit: "ms a call to DynamoDB",
    because: "AWS says single-digit milliseconds; the wait's kappa is as much",
  },
  putEventsMs: {
    value: 20,
    unit: "ms a call of PutEvents",
    because: "not published by AWS; a call that is stored in several zones",
  },
  sqsMs: { value: 10, unit: "ms a call to SQS", because: "AWS says tens of milliseconds and less" },
  ownMs: {
    value: 4,
    unit: "ms of a call's own work",
    because: "an emit takes about 1 ms of a whole processor (P2); 256 MB have a seventh",
  },
  endpointMs: {
    value: 200,
    unit: "ms until a webhook's endpoint has answered",
    because: "what a service on the internet takes that does little",
  },
  taken: {
    value: 10,
    unit: "messages that a function takes from a queue at once",
    because: "the batch size under load; fewer come at a time when it is quiet",
  },
  logBytes: {
    value: 700,
    unit: "bytes of log for an invocation",
    because: "Lambda's own three records as JSON; the bus adds none to a call that went well",
  },
  answerBytes: {
    value: 400,
    unit: "bytes that an answer to a caller has beside its data",
    because: "an acknowledgement and its headers",
  },
  storedBytes: {
    value: 100,
    unit: "bytes that DynamoDB adds to each item and each entry",
    because: "it says so where it says how storage is measured",
  },
  transitions: {
    value: 2,
    unit: "transitions of a wait with a task token",
    because: "the start, and the task that waits",
  },
  durableOperations: {
    value: 4,
    unit: "operations of a durable wait",
    because: "the start, the step that records the question, the callback, and its completion",
  },
  durableBytes: { value: 1_000, unit: "bytes that a durable wait writes beside the data", because: "its checkpoints" },
  fixedGapMs: { value: 100, unit: "ms between reads of a wait that polls", because: "what is usually written" },
} as const satisfies Record<string, Assumption>;
