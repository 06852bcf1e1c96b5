import { afterEach, describe, expect, test } from "vitest";
import { cleanUp, runScript, startDev } from "../support/embedded.ts";

afterEach(cleanUp);

describe("npm run demo", () => {
  test("shows the agents' conversation about the text it is given", async () => {
    const demo = runScript("examples/demo.ts", ["  Wo ist mein   Paket??  ", "Ich habe es am Montag bestellt."]);
    expect(await demo.exited).toBe(0);
    const shown = demo.lines.join("\n");
    expect(demo.lines).toContain("Message: Wo ist mein Paket? Ich habe es am Montag bestellt.");
    expect(shown).toMatch(/Reply: .*Werktag/);
    for (const step of [
      "you .*MESSAGE_RECEIVED",
      "normalizer .*LANGUAGE_NORMALIZED",
      "normalizer .*CONTEXT_REQUESTED .*waits up to 10 s for librarian",
      "librarian .*response .*accepted after \\d+ ms",
      "normalizer .*MESSAGE_PROCESSED",
    ])
      expect(shown).toMatch(new RegExp(`^ +\\d+ ms  ${step}`, "m"));
    // Not a terminal: plain text.
    expect(shown).not.toContain("\u001B");
  });

  test("takes the text from standard input, and says so when it knows nothing", async () => {
    const demo = runScript("examples/demo.ts", [], { input: "Le quux du frobnicateur\u200B ne marche pas !!!\n" });
    expect(await demo.exited).toBe(0);
    expect(demo.lines).toContain("Message: Le quux du frobnicateur ne marche pas!");
    expect(demo.lines.join("\n")).toContain("Nous n'avons rien à ce sujet");
  });

  test("shows how it is used when there is no text", async () => {
    for (const input of ["", " \n"]) {
      const demo = runScript("examples/demo.ts", [], { input });
      expect(await demo.exited).toBe(1);
      expect(demo.lines.join("\n")).toContain("npm run demo -- ");
    }
  });
});

describe("npm run demo, when it cannot", () => {
  test("says that a message is too large, and ends", async () => {
    const demo = runScript("examples/demo.ts", [], { input: "parcel ".repeat(30_000) });
    expect(await demo.exited).toBe(1);
    expect(demo.lines.join("\n")).toMatch(/The demo could not run: .*bytes/);
  });

  test("takes no option for the message", async () => {
    const demo = runScript("examples/demo.ts", ["--port", "3"]);
    expect(await demo.exited).toBe(1);
    expect(demo.lines[0]).toBe("There is no option --port.");
    expect(demo.lines.join("\n")).toContain("npm run demo -- ");
  });
});

describe("examples/hello.ts", () => {
  test("asks and is answered on a running bus", async () => {
    const bus = await startDev();
    const hello = runScript("examples/hello.ts", [], { env: { AGENT_EVENT_BUS_URL: bus.url } });
    expect(await hello.exited).toBe(0);
    expect(hello.lines.join("\n")).toMatch(/answered { approved: true } after \d+ ms/);
  });
});
