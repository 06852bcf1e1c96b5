/** What the deployed functions ask of AWS, played by a local server, and the environment that leads their clients there. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { vi } from "vitest";
import type { Item } from "../../functions/runtime/dynamo/table.ts";

interface Call {
  /** As `PutItem`, `SendMessageBatch`. */
  readonly operation: string;
  readonly body: Record<string, unknown> & { Key?: Item; Item?: Item };
}

/** A table that keeps what is put and gives it by its key; all else is answered with nothing. */
export class PlayedServices {
  readonly calls: Call[] = [];
  readonly table = new Map<string, Item>();
  /** While it is, calls to items fail. */
  isTableAway = false;

  private readonly server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const call: Call = { operation, body: JSON.parse(Buffer.concat(chunks).toString()) as Call["body"] };
    this.calls.push(call);
    const isAway = this.isTableAway && operation.endsWith("Item");
    response
      .writeHead(isAway ? 500 : 200, { "content-type": String(request.headers["content-type"]) })
      .end(JSON.stringify(isAway ? {} : this.answerTo(call)));
  });

  /** Starts them, stands in for the environment of a function, and keeps what functions print to itself. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    for (const [name, value] of Object.entries({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      TABLE_NAME: "table",
      EVENT_BUS_NAME: "bus",
      WEBHOOK_QUEUE_URL: `${endpoint}/111122223333/webhooks`,
      DISPATCH_QUEUE_URL: `${endpoint}/111122223333/dispatch`,
      SUBSCRIBER_PREFIX: "Bus-agent-",
    }))
      vi.stubEnv(name, value);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    vi.spyOn(console, "log").mockReturnValue();
  }

  /** As if nothing had been called or written. */
  reset(): void {
    this.calls.length = 0;
    this.table.clear();
    this.isTableAway = false;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  put(item: Item): void {
    this.table.set(placeOf(item), item);
  }

  private answerTo({ operation, body: { Key = {}, Item: item = {} } }: Call): object {
    if (operation === "PutItem") this.put(item);
    if (operation === "GetItem") return { Item: this.table.get(placeOf(Key)) };
    return operation === "Query" ? { Items: [], Count: 0 } : {};
  }
}

const placeOf = (item: Item): string => `${item["pk"]?.S} ${item["sk"]?.S}`;
