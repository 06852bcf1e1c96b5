/** Everything that the bus has recorded, read from its store past the functions; and what its journals say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { itemToEvent, itemToRequest, itemToResponse } from "../../../functions/runtime/dynamo/items.ts";
import { itemToDelivery, itemToSubscription } from "../../../functions/runtime/dynamo/subscription-items.ts";
import type { Item } from "../../../functions/runtime/dynamo/table.ts";
import { embeddedClient, TABLE_NAME } from "../../../local/table.ts";
import { DELIVERY_PREFIX, RESPONSE_PREFIX } from "../../../shared/keys.ts";
import type { RequestRecord } from "../../../shared/records.ts";
import { deployedId } from "../../../shared/subscriptions/records.ts";
import { verdictOf } from "../../../shared/verdict.ts";
import type { FinalEvent, FinalState, HandOver } from "../final-state.ts";
import { answered, type CallHistory } from "../history.ts";
import type { BusUnderTest } from "./bus-under-test.ts";

export async function finalStateOf(
  bus: BusUnderTest,
  history: CallHistory,
  handOvers: readonly HandOver[],
): Promise<FinalState> {
  const items = await allItems(bus.storeEndpoint);
  const standing = (fits: (sk: string) => boolean): Item[] => items.filter((item) => fits(item["sk"]?.S ?? ""));
  const bodies = new Map(standing((sk) => sk.startsWith("BODY#")).map((item) => [item["pk"]?.S, item["data"]?.S]));
  const requests = standing((sk) => sk === "REQUEST").map(itemToRequest);
  return {
    events: standing((sk) => sk === "META").map((item) => itemToEvent(item, bodies.get(item["pk"]?.S)) as FinalEvent),
    requests,
    responses: responsesIn(
      standing((sk) => sk.startsWith(RESPONSE_PREFIX)),
      requests,
    ),
    deliveries: standing((sk) => sk.startsWith(DELIVERY_PREFIX)).map(itemToDelivery),
    subscriptions: items.filter((item) => item["pk"]?.S?.startsWith("SUBSCRIPTIONS_OF#")).map(itemToSubscription),
    publications: publicationsOf(bus),
    handOvers: [...handOvers, ...deployedHandOvers(bus)],
    terminalStates: seenEnds(history),
  };
}

async function allItems(endpoint: string): Promise<Item[]> {
  const client = embeddedClient(endpoint);
  const items: Item[] = [];
  for (let from: Item | undefined; ; ) {
    const page = await client.send(
      new ScanCommand({ TableName: TABLE_NAME, ...(from === undefined ? {} : { ExclusiveStartKey: from }) }),
    );
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
    if (from === undefined) break;
  }
  client.destroy();
  return items;
}

function responsesIn(items: readonly Item[], requests: readonly RequestRecord[]): FinalState["responses"] {
  const requestsById = new Map(requests.map((request) => [request.eventId, request]));
  return items.map(itemToResponse).map((response) => {
    const request = requestsById.get(response.eventId);
    return { ...response, verdict: request === undefined ? "accepted" : verdictOf(response, request) };
  });
}

/** The journal of what was published knows each event once, however often it was put on the bus. */
function publicationsOf({ dataDir }: BusUnderTest): string[] {
  const lines = linesOf(join(dataDir, "dispatch.jsonl")) as { op: string; key: string }[];
  return [...new Set(lines.map(({ key }) => key.slice(key.lastIndexOf("/") + 1)))];
}

/** What deployed subscribers wrote down of the events that they got, or dropped because nobody waited any more. */
function deployedHandOvers(bus: BusUnderTest): HandOver[] {
  return notesOf(bus, ["got", "dropped"]);
}

/** Every time that a deployed subscriber was done with an event. */
export function doneByDeployed(bus: BusUnderTest): HandOver[] {
  return notesOf(bus, ["done"]);
}

function notesOf({ handOversFile }: BusUnderTest, wanted: readonly string[]): HandOver[] {
  const lines = linesOf(handOversFile) as [subscriber: string, eventId: string, what: string][];
  return lines
    .filter(([, , what]) => wanted.includes(what))
    .map(([subscriber, eventId]) => ({ subscriptionId: deployedId(subscriber), eventId }));
}

/** JSON by the line; a last one that a kill left half written is left out. */
function linesOf(file: string): unknown[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown];
      } catch {
        return [];
      }
    });
}

function seenEnds(history: CallHistory): FinalState["terminalStates"] {
  return answered(history.calls, "show").flatMap(({ outcome: { answer } }) => {
    if (answer.request === null || answer.request.status === "pending") return [];
    const state = answer.request.status.toUpperCase() as RequestRecord["state"];
    return [{ eventId: answer.event.id, state }];
  });
}
