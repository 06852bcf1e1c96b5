import { afterAll, beforeAll, describe } from "vitest";
import { cleanUp, startDev } from "../support/embedded.ts";
import { cloudEventScenarios } from "./cloud-events.suite.ts";

let url = "";
beforeAll(async () => {
  ({ url } = await startDev());
});
afterAll(cleanUp);

describe("CloudEvents on the embedded run", () => {
  cloudEventScenarios(() => url);
});
