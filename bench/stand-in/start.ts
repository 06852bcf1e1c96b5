/** Starts the stand-in, and asks it what it saw. */
import { writeFile } from "node:fs/promises";
import https from "node:https";
import { join } from "node:path";
import { startUntilLine } from "../measure/started-process.ts";
import type { SeenCall, StandInPlace } from "./server.ts";

export interface StandIn {
  /** What its clients need in their environment to take it for AWS. */
  readonly environment: Readonly<Record<string, string>>;
  /** The calls since the last time. */
  seen(): Promise<SeenCall[]>;
  close(): Promise<void>;
}

export async function startStandIn(workDir: string): Promise<StandIn> {
  const started = await startUntilLine(
    { path: process.execPath, args: ["--import", "tsx", join(import.meta.dirname, "server.ts")] },
    /^\{.*\}$/,
  );
  const { port, certificate } = JSON.parse(started.line[0]) as StandInPlace;
  const certificateFile = join(workDir, "stand-in.pem");
  await writeFile(certificateFile, certificate);
  const url = `https://localhost:${port}`;
  return {
    environment: { AWS_ENDPOINT_URL: url, NODE_EXTRA_CA_CERTS: certificateFile },
    seen: async () => JSON.parse(await get(`${url}/calls`, certificate)) as SeenCall[],
    close: () => started.close(),
  };
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ca, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}
