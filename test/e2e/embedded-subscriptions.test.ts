import { afterAll } from "vitest";
import { cleanUp, startDev } from "../support/embedded.ts";
import { startScriptedReceiver } from "../support/scripted-receiver.ts";
import { subscriptionScenarios } from "./subscriptions.suite.ts";

afterAll(cleanUp);

subscriptionScenarios({
  name: "in the embedded run",
  async open() {
    const { url } = await startDev({ args: ["--allow-loopback-webhooks"] });
    const receiver = await startScriptedReceiver();
    return { url, receiver, webhookUrl: (path) => `http://127.0.0.1:${receiver.port}${path}` };
  },
  crowd: 1_000,
  patienceMs: 30_000,
});
