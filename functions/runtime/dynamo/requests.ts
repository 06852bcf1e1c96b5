/** Requests and responses in the table: the writes that decide who wins. */
import { keys, RESPONSE_PREFIX } from "../../../shared/keys.ts";
import type { EventStore, RequestWrite } from "../../../shared/ports.ts";
import type { CreateOutcome, RequestRecord, ResponseRecord } from "../../../shared/records.ts";
import { itemToRequest, itemToResponse, number, requestToItem, responseToItem } from "./items.ts";
import { type DynamoTable, type Item, standing, type Update } from "./table.ts";

export type RequestMethods = Pick<
  EventStore,
  | "createRequest"
  | "getRequest"
  | "getRequests"
  | "acceptAnswer"
  | "endRequest"
  | "noteProgress"
  | "putResponse"
  | "getResponse"
  | "getResponses"
  | "countResponses"
>;

const isPending = "#state = :pending";
const stateName = { "#state": "state" };
/** One that has ended is nobody's work any more, and does not count as open. */
const leavesIndexes = "REMOVE work_pk, work_sk, agent_pk, time_sk";
const pendingValue = { ":pending": { S: "PENDING" } };

export function requestMethods(table: DynamoTable, nowSeconds: () => number): RequestMethods {
  /** A request has an expiry only once it has ended. */
  const isAlive = (item: Item): boolean =>
    item["expires_at"] === undefined || number(item, "expires_at") > nowSeconds();

  const getRequest = async (eventId: string): Promise<RequestRecord | null> => {
    const item = await table.get(keys.request(eventId));
    return item === null || !isAlive(item) ? null : itemToRequest(item);
  };

  /** I2: written if the condition holds; otherwise what stands is read, consistently. */
  const writeRequest = async (eventId: string, update: Update): Promise<RequestWrite> => {
    const write = await table.update(keys.request(eventId), { ...update, ReturnValues: "ALL_NEW" });
    if (write.kind === "written") return { kind: "written", request: itemToRequest(write.item) };
    return { kind: "refused", request: await getRequest(eventId) };
  };

  const getResponse = async (eventId: string, responseId: string): Promise<ResponseRecord | null> => {
    const item = await table.get(keys.response(eventId, responseId));
    return item === null || !isAlive(item) ? null : itemToResponse(item);
  };

  const responsesOf = (eventId: string) => ({
    KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
    ExpressionAttributeValues: { ":pk": { S: keys.request(eventId).pk }, ":prefix": { S: RESPONSE_PREFIX } },
    ConsistentRead: true,
  });

  return {
    getRequest,
    getResponse,

    async getRequests(eventIds) {
      return (await table.getMany(eventIds.map(keys.request))).filter(isAlive).map(itemToRequest);
    },

    async createRequest(request): Promise<CreateOutcome<RequestRecord>> {
      const put = await table.create(requestToItem(request), nowSeconds());
      if (put.kind === "written") return { kind: "created" };
      return { kind: "exists", record: standing(await getRequest(request.eventId)) };
    },

    acceptAnswer(answer) {
      const hasToken = "reply_token = :token";
      const nobodyCameBetween = "answers = :seen";
      const ends = answer.state !== "PENDING";
      return writeRequest(answer.eventId, {
        UpdateExpression: [
          `SET answers = :next${ends ? ", #state = :state, ended_at = :at, expires_at = :expires" : ""}`,
          ends ? leavesIndexes : "",
          [
            "ADD accepted_ids :id",
            ...(answer.subscriber === undefined ? [] : ["answered_by :subscriber"]),
            ...(answer.speaker === undefined ? [] : ["answered_speakers :speaker"]),
          ].join(", "),
        ].join(" "),
        ConditionExpression: [isPending, hasToken, nobodyCameBetween].join(" AND "),
        ExpressionAttributeNames: stateName,
        ExpressionAttributeValues: {
          ...pendingValue,
          ":token": { S: answer.replyToken },
          ":seen": { N: String(answer.answersSeen) },
          ":next": { N: String(answer.answersSeen + 1) },
          ":id": { SS: [answer.responseId] },
          ...(answer.subscriber === undefined ? {} : { ":subscriber": { SS: [answer.subscriber] } }),
          ...(answer.speaker === undefined ? {} : { ":speaker": { SS: [answer.speaker] } }),
          ...(ends
            ? { ":state": { S: answer.state }, ":at": { S: answer.at }, ":expires": { N: String(answer.expiresAt) } }
            : {}),
        },
      });
    },

    endRequest(end) {
      const hasReason = end.reason !== undefined;
      return writeRequest(end.eventId, {
        UpdateExpression: `SET #state = :state, ended_at = :at, expires_at = :expires${hasReason ? ", reason = :reason" : ""} ${leavesIndexes}`,
        ConditionExpression: isPending,
        ExpressionAttributeNames: stateName,
        ExpressionAttributeValues: {
          ...pendingValue,
          ":state": { S: end.state },
          ":at": { S: end.at },
          ":expires": { N: String(end.expiresAt) },
          ...(end.reason === undefined ? {} : { ":reason": { S: end.reason } }),
        },
      });
    },

    async noteProgress(eventId) {
      await table.update(keys.request(eventId), {
        UpdateExpression: "ADD progress_count :one",
        ConditionExpression: isPending,
        ExpressionAttributeNames: stateName,
        ExpressionAttributeValues: { ...pendingValue, ":one": { N: "1" } },
      });
    },

    async putResponse(response): Promise<CreateOutcome<ResponseRecord>> {
      const put = await table.create(responseToItem(response), nowSeconds());
      if (put.kind === "written") return { kind: "created" };
      return { kind: "exists", record: standing(await getResponse(response.eventId, response.responseId)) };
    },

    async getResponses(eventId) {
      const responses = (await table.queryAll(responsesOf(eventId))).filter(isAlive).map(itemToResponse);
      return responses.sort(byTimeAndId);
    },

    countResponses: (eventId, atMost) => table.count(responsesOf(eventId), atMost),
  };
}

function byTimeAndId(a: ResponseRecord, b: ResponseRecord): number {
  const [first, second] = [a, b].map((response) => `${response.timestamp}#${response.responseId}`) as [string, string];
  return first < second ? -1 : first > second ? 1 : 0;
}
