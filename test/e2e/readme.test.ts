/** README.md says only what is so: its code compiles and runs, its commands and files are there. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { projectPath } from "../../local/project.ts";
import { cleanUp, eventually, runScript, startDev, temporaryFolder } from "../support/embedded.ts";

const run = promisify(execFile);
const readme = readFileSync(projectPath("README.md"), "utf8");

const blocksIn = (language: string): string[] =>
  [...readme.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text = ""]) =>
    name === language ? [text] : [],
  );

/** The one block for which it holds. */
function theBlock(what: string, blocks: readonly string[], holds: (block: string) => boolean): string {
  const [block, ...more] = blocks.filter(holds);
  if (block === undefined || more.length > 0) throw new Error(`README.md has not just one block that is ${what}`);
  return block;
}

const code = blocksIn("ts");
/** Part of what `defineBus` is given, and no module. */
const isFragment = (block: string): boolean => /^\w+: [[{]/m.test(block.replace(/^\/\/.*\n/, ""));
const isAgent = (block: string): boolean => block.startsWith("// agents/reviewer.ts\n");
/** What is done with the program's `bus`. */
const isContinued = (block: string): boolean => block.startsWith("await bus.");
const program = theBlock("a program", code, (block) => !isFragment(block) && !isAgent(block) && !isContinued(block));
/** The program up to where its `bus` is there, then something else. */
const durable = `${program.split(/(?<=^const bus .*\n)/m)[0]}${theBlock("a durable subscription", code, isContinued)}`;
const agent = theBlock("an agent", code, isAgent);
const ownConfig = `import * as v from "valibot";
import { defineBus } from "./shared/bus-config.ts";
export default defineBus({
${code.filter(isFragment).join("")}});
`;
const README_URL = "http://127.0.0.1:7070";

/** A copy of the project in which the reader has done as README.md says. */
function readersProject(): string {
  const root = temporaryFolder();
  for (const name of ["client", "examples", "functions", "local", "shared", "package.json", "tsconfig.json"])
    cpSync(projectPath(name), join(root, name), { recursive: true });
  symlinkSync(projectPath("node_modules"), join(root, "node_modules"));
  const files = {
    "examples/readme.ts": program,
    "examples/readme-durable.ts": durable,
    "agents/reviewer.ts": agent,
    "bus.config.ts": ownConfig,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  writeFileSync(
    join(root, "tsconfig.readme.json"),
    JSON.stringify({ extends: "./tsconfig.json", include: Object.keys(files) }),
  );
  return root;
}

let root: string;
beforeAll(() => {
  root = readersProject();
});
afterAll(cleanUp);

describe("README.md", () => {
  test("has code that compiles, as strictly as all the rest", async () => {
    const checked = await run(projectPath("node_modules/.bin/tsc"), ["-p", "tsconfig.readme.json"], {
      cwd: root,
    }).catch((error: { stdout: string }) => error);
    expect(checked.stdout).toBe("");
  });

  test("begins with a bus that answers the first call, and two agents that say what it says they do", async () => {
    const { url } = await startDev();
    const call = theBlock("a call with curl", blocksIn(""), (block) => block.includes("/requests -d"));
    const { stdout } = await run("sh", ["-c", call.replace(README_URL, url)]);
    expect(JSON.parse(stdout)).toMatchObject({ status: "answered", response: { note: "hi" } });
    for (const [field] of (call.split("\n# ")[1] ?? "").matchAll(/"\w+":/g)) expect(stdout).toContain(field);

    const path = join(root, "examples/readme.ts");
    expect(program).toContain(`"${README_URL}"`);
    writeFileSync(path, program.replace(README_URL, url));
    const printed = runScript("examples/readme.ts", [], { root });
    expect(await printed.exited).toBe(0);
    expect(printed.lines).toEqual([...program.matchAll(/^console\.log\(.*\); \/\/ (.+)$/gm)].map(([, line]) => line));
  });

  test("shows how to subscribe to a queue, take from it and acknowledge, with curl", async () => {
    const { url } = await startDev();
    const calls = theBlock("a subscription with curl", blocksIn(""), (block) => block.includes("/subscriptions -d"));
    const [subscribe = "", take = "", acknowledge = ""] = calls.split(/^(?=curl )/m);
    const curl = async (command: string, ...filled: [string, string][]): Promise<Record<string, unknown>> => {
      const text = filled.reduce((so, [gap, value]) => so.replace(gap, value), command.replace(README_URL, url));
      return JSON.parse((await run("sh", ["-c", text])).stdout) as Record<string, unknown>;
    };
    const { subscription_id: id } = (await curl(subscribe)) as { subscription_id: string };
    const bus = new AgentEventBus({ url });
    const { event_id } = await bus.emit("UPGRADE_REQUESTED", { target: "billing-eu", to_version: "2.0.0" });
    const { messages } = (await curl(take, ["<subscription_id>", id])) as { messages: { receipt: string }[] };
    expect(messages).toMatchObject([{ event: { id: event_id, reply_to: {} }, attempt: 1 }]);
    const receipt = messages[0]?.receipt ?? "";
    expect(await curl(acknowledge, ["<subscription_id>", id], ["…", receipt])).toEqual({
      results: [{ receipt, status: "ok" }],
    });
  });

  test("shows how to let an agent in with a key of its own, with curl", async () => {
    const dataDir = temporaryFolder();
    const { url } = await startDev({ dataDir, args: ["--keys"] });
    const call = theBlock("an agent let in with curl", blocksIn(""), (block) => block.includes("/agents -H"));
    const filled = call.replace(README_URL, url).replace(".local/data/", `${dataDir}/`);
    const { name, key } = JSON.parse((await run("sh", ["-c", filled])).stdout) as { name: string; key: string };
    expect(call).toContain(`"name": "${name}"`);
    const receipt = await new AgentEventBus({ url, key }).emit("UPGRADE_REQUESTED", { target: "a", to_version: "2" });
    expect(receipt).toMatchObject({ published: true });
    const other = key.replace(/(?<=^aeb_billing_)./, (first) => (first === "A" ? "B" : "A"));
    await expect(new AgentEventBus({ url, key: other }).eventTypes()).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  test("shows a durable subscription that answers, also what was asked while it was away", async () => {
    const { url } = await startDev();
    const path = join(root, "examples/readme-durable.ts");
    writeFileSync(path, durable.replace(README_URL, url));
    const bus = new AgentEventBus({ url });
    const ask = () =>
      bus.emitAndWait(
        "UPGRADE_REQUESTED",
        { target: "shipping", to_version: "2" },
        { timeout: 20, requireSubscribers: false },
      );
    const first = runScript("examples/readme-durable.ts", [], { root });
    await eventually(async () => expect(await bus.subscriptions().next()).toMatchObject({ done: false }));
    expect(await ask()).toMatchObject({ status: "answered", response: { approved: true } });
    first.child.kill("SIGKILL");
    await first.exited;
    const asked = ask();
    runScript("examples/readme-durable.ts", [], { root });
    expect(await asked).toMatchObject({ status: "answered", responses: [{ responder: "gate" }] });
  });

  test("shows an agent that answers what it should, once it is in bus.config.ts", async () => {
    const { url } = await startDev({ root });
    const bus = new AgentEventBus({ url });
    const ask = (target: string, to_version: string) =>
      bus.emitAndWait("UPGRADE_REQUESTED", { target, to_version }, { timeout: 10 });
    const approved = await ask("billing", "2.0.0");
    expect(approved).toMatchObject({
      status: "answered",
      response: { approved: true },
      responses: [{ responder: "reviewer" }],
    });
    expect(await ask("billing", "2.0.0-beta")).toMatchObject({ status: "answered", response: { approved: false } });
    await expect(ask("shipping", "2.0.0")).rejects.toMatchObject({ code: "no_subscribers" });

    const { event } = await bus.getEvent(approved.event_id);
    const said: string[] = [];
    for await (const { type } of bus.history({ correlationId: event.correlation_id, order: "asc" })) said.push(type);
    const emitted = [...agent.matchAll(/context\.emit\("(\w+)"/g)].map(([, type]) => type);
    expect(said).toEqual(["UPGRADE_REQUESTED", ...emitted]);
  });

  test("shows an event type of one's own whose data is checked", async () => {
    const { url } = await startDev({ root });
    const bus = new AgentEventBus<{ ORDER_PLACED: { total: unknown } }>({ url });
    await expect(bus.emit("ORDER_PLACED", { total: 3 })).resolves.toMatchObject({ published: true });
    await expect(bus.emit("ORDER_PLACED", { total: "3" })).rejects.toMatchObject({ code: "schema_violation" });
  });

  test("names only commands and files that are there", () => {
    const { scripts } = JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as { scripts: object };
    const commands = [...readme.matchAll(/npm run ([\w:]+)((?:`\s+`[\w:]+)*)/g)].flatMap(
      ([, first = "", more = ""]) => [first, ...(more.match(/[\w:]+/g) ?? [])],
    );
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.filter((command) => !Object.hasOwn(scripts, command))).toEqual([]);
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, path = ""]) => path);
    const examples = [...readme.matchAll(/npx tsx (\S+\.ts)/g)].map(([, path = ""]) => path);
    expect([...links, ...examples].filter((path) => !existsSync(projectPath(path)))).toEqual([]);
  });
});
