/** SQS queues, all of one kind, and the functions that work through them. */
import { Duration } from "aws-cdk-lib";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import type { NodeFunction } from "./node-function.ts";
import { isEmulator } from "./options.ts";

export interface QueueOptions {
  /** Only for what others find by its name. */
  readonly name?: string;
  readonly retentionDays: number;
  /** How long the function behind it may take, in seconds: what it failed to do comes again after six times as long. */
  readonly timeoutSeconds?: number;
  /** Where a message goes that was received so often and not done. */
  readonly deadLetters?: { readonly queue: Queue; readonly maxReceiveCount: number };
}

/** A message is hidden for six times as long as its function may take, as AWS advises for queues in front of Lambda. */
export const hiddenSeconds = (timeoutSeconds: number): number => 6 * timeoutSeconds;

/** A standard queue: encrypted, and refusing plain HTTP, but in an emulator, which has nothing else. */
export function addQueue(scope: Construct, id: string, options: QueueOptions): Queue {
  const { name, retentionDays, timeoutSeconds, deadLetters } = options;
  const emulator = isEmulator(scope.node);
  const queue = new Queue(scope, id, {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: !emulator,
    retentionPeriod: Duration.days(retentionDays),
    ...(name === undefined ? {} : { queueName: name }),
    ...(timeoutSeconds === undefined ? {} : { visibilityTimeout: Duration.seconds(hiddenSeconds(timeoutSeconds)) }),
    ...(deadLetters === undefined ? {} : { deadLetterQueue: deadLetters }),
  });
  if (emulator) acknowledge(queue, { "AwsSolutions-SQS4": "an emulator is reached over plain HTTP" });
  return queue;
}

export interface TakeOptions {
  /** The most of its environments that take from the queue at once. Absent: as many as the account has. */
  readonly maxConcurrency?: number;
  /** Why nothing is lost when the function fails. */
  readonly failuresEnd: string;
}

/** Lets a function take from a queue, ten messages at a time, and give back only those that failed. */
export function takeFromQueue(
  { function: taker }: NodeFunction,
  queue: Queue,
  { maxConcurrency, failuresEnd }: TakeOptions,
): void {
  taker.addEventSource(
    new SqsEventSource(queue, {
      batchSize: 10,
      reportBatchItemFailures: true,
      ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    }),
  );
  acknowledge(taker, {
    "Serverless-LambdaDLQ": failuresEnd,
    "Serverless-LambdaEventSourceMappingDestination": failuresEnd,
  });
}
