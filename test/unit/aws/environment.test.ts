import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { describe, expect, it } from "vitest";
import { readAwsEnvironment } from "../../../functions/runtime/aws/config.ts";
import { endpointOf } from "../../../functions/runtime/aws/lean/endpoint.ts";

const ENV = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };

/** Of each partition that the SDK knows, and one that may come. */
const REGIONS = [
  "us-east-1",
  "eu-central-1",
  "ap-southeast-7",
  "mx-central-1",
  "il-central-1",
  "cn-north-1",
  "cn-northwest-1",
  "us-gov-east-1",
  "us-iso-east-1",
  "us-isob-east-1",
  "us-isof-south-1",
  "eu-isoe-west-1",
  "eusc-de-east-1",
  "xx-new-9",
];

describe("the endpoint of a service", () => {
  it.each(REGIONS)("in %s is where the SDK's client goes", (region) => {
    const place = { region, endpoints: {} };
    for (const [service, client] of [
      ["dynamodb", new DynamoDBClient({ region })],
      ["eventbridge", new EventBridgeClient({ region })],
    ] as const) {
      const { url } = client.config.endpointProvider({ Region: region, UseFIPS: false, UseDualStack: false });
      expect(endpointOf(service, place).host).toBe(url.host);
      expect(endpointOf(service, place).protocol).toBe("https:");
    }
  });

  it("may be another: one for both, or one of its own, which comes first", () => {
    const environment = readAwsEnvironment({
      ...ENV,
      AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
      AWS_ENDPOINT_URL_EVENTBRIDGE: "https://vpce-1.events.eu-central-1.vpce.amazonaws.com",
    });
    expect(endpointOf("dynamodb", environment).href).toBe("http://127.0.0.1:4566/");
    expect(endpointOf("eventbridge", environment).host).toBe("vpce-1.events.eu-central-1.vpce.amazonaws.com");
  });

  it.each(["127.0.0.1:4566", "ftp://127.0.0.1", "https://a.example.com/base", "https://a.example.com/?q", "nonsense"])(
    "must be the URL of a host: %s is not",
    (url) => {
      const environment = readAwsEnvironment({ ...ENV, AWS_ENDPOINT_URL: url });
      expect(() => endpointOf("dynamodb", environment)).toThrow(url);
    },
  );
});

describe("the environment of a function", () => {
  it("must say where it is", () => {
    expect(() => readAwsEnvironment({ ...ENV, AWS_REGION: "" })).toThrow("AWS_REGION");
  });

  it.each(["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])(
    "that asks for what only the SDK knows (%s) is told so, and given nothing else in silence",
    (name) => {
      expect(() => readAwsEnvironment({ ...ENV, [name]: "true" })).toThrow(`${name} needs the SDK's clients`);
      expect(readAwsEnvironment({ ...ENV, [name]: "false" }).region).toBe("eu-central-1");
    },
  );
});
