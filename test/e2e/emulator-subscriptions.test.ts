import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { projectPath } from "../../local/project.ts";
import { emulatorAvailable, useDeployment, useEmulator } from "../support/emulator.ts";
import { startScriptedReceiver } from "../support/scripted-receiver.ts";
import { createAuthority, PUBLIC_ADDRESS } from "../support/webhook-endpoint.ts";
import { cloudEventScenarios } from "./cloud-events.suite.ts";
import { deadLetterScenarios } from "./dead-letters.suite.ts";
import { type SubscribableBus, subscriptionScenarios } from "./subscriptions.suite.ts";

const HOST = "receiver.example.com";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A receiver that speaks real TLS; to the deployed functions its name is public, and only the wire to it is played. */
async function open(): Promise<SubscribableBus> {
  const authority = await createAuthority();
  const receiver = await startScriptedReceiver(await authority.issue([HOST]));
  const folder = await mkdtemp(join(tmpdir(), "agent-event-bus-receiver-"));
  folders.push(folder);
  const authorityFile = join(folder, "authority.pem");
  await writeFile(authorityFile, authority.cert);
  await useEmulator({
    enforceRoles: true,
    functionEnvironment: {
      NODE_OPTIONS: `--require ${projectPath("test/support/route-to-receiver.cjs")}`,
      NODE_EXTRA_CA_CERTS: authorityFile,
      RECEIVER_HOST: HOST,
      RECEIVER_ADDRESS: PUBLIC_ADDRESS,
      RECEIVER_PORT: String(receiver.port),
    },
  });
  const { url } = await useDeployment();
  return { url, receiver, webhookUrl: (path) => `https://${HOST}${path}` };
}

describe.skipIf(!(await emulatorAvailable()))("on the AWS emulator", () => {
  subscriptionScenarios({
    name: "deployed with CDK's template, a public host played by a receiver here",
    open,
    crowd: 12,
    patienceMs: 60_000,
  });

  deadLetterScenarios(async () => ({ url: (await useDeployment()).url, target: await useEmulator() }));

  describe("CloudEvents", () => {
    let url = "";
    beforeAll(async () => {
      ({ url } = await useDeployment());
    });
    cloudEventScenarios(() => url);
  });
});
