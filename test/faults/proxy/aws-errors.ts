/**
 * Errors in the services' own words.
 *
 * DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 * EventBridge: https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html
 * SQS (JSON protocol): https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
import { type Answer, type Exchange, jsonAnswer, type Service } from "./exchange.ts";

interface AwsError {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

const THROTTLES: Readonly<Record<Service, readonly AwsError[]>> = {
  dynamodb: [
    {
      status: 400,
      type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
      message: "The level of configured provisioned throughput for the table was exceeded.",
    },
    {
      status: 400,
      type: "com.amazon.coral.availability#ThrottlingException",
      message: "Throughput exceeds the current capacity of your table or index.",
    },
    {
      status: 400,
      type: "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded",
      message: "Throughput exceeds the current throughput limit for your account.",
    },
  ],
  eventbridge: [{ status: 400, type: "ThrottlingException", message: "Rate exceeded" }],
  sqs: [{ status: 400, type: "com.amazonaws.sqs#RequestThrottled", message: "The request was throttled." }],
};

const FAILURES: Readonly<Record<Service, readonly AwsError[]>> = {
  dynamodb: [
    {
      status: 500,
      type: "com.amazonaws.dynamodb.v20120810#InternalServerError",
      message: "The request processing has failed because of an unknown error, exception or failure.",
    },
    {
      status: 503,
      type: "com.amazonaws.dynamodb.v20120810#ServiceUnavailableException",
      message: "The service is unavailable.",
    },
  ],
  eventbridge: [
    { status: 500, type: "InternalException", message: "An internal error occurred." },
    { status: 503, type: "ServiceUnavailable", message: "The request has failed due to a temporary failure." },
  ],
  sqs: [
    { status: 500, type: "com.amazonaws.sqs#InternalFailure", message: "An internal error occurred." },
    { status: 503, type: "com.amazonaws.sqs#ServiceUnavailable", message: "The service is unavailable." },
  ],
};

/** The service has too much to do; nothing was done. */
export const throttle = (exchange: Exchange): Answer => told(exchange, THROTTLES);

/** Something broke; what was done is not said. */
export const internalFailure = (exchange: Exchange): Answer => told(exchange, FAILURES);

function told(exchange: Exchange, errors: Readonly<Record<Service, readonly AwsError[]>>): Answer {
  const { status, type, message } = exchange.random.pick(errors[exchange.service]);
  return jsonAnswer(exchange, status, { __type: type, message });
}
