/** The floor: what two posts over HTTPS take, one to each service, unsigned, and nothing else. */
import https from "node:https";
import { readEndpoint } from "./config.ts";

const url = readEndpoint();
const table = new https.Agent({ keepAlive: true });
const bus = new https.Agent({ keepAlive: true });

export async function handler(event: { readonly body: string }): Promise<{ statusCode: number; body: string }> {
  await post(table, "DynamoDB_20120810.PutItem", event.body);
  await post(bus, "AWSEvents.PutEvents", event.body);
  return { statusCode: 202, body: "{}" };
}

function post(agent: https.Agent, target: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.request({
      hostname: url.hostname,
      port: url.port,
      path: "/",
      method: "POST",
      agent,
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target,
        "content-length": Buffer.byteLength(body),
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    request.end(body);
  });
}
