/** A `bus.config.ts` with handlers of a test's own, in a temporary folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectPath } from "../../local/project.ts";
import type { BusDeclaration } from "../../shared/bus-config.ts";
import { temporaryFolder } from "./embedded.ts";

export interface TestSubscriber {
  readonly name: string;
  readonly on: string;
  readonly via: "direct" | "queue";
  readonly answers?: boolean;
  /** TypeScript that exports `handler`; `subscriber` of the client is in scope. */
  readonly code: string;
}

export interface TestConfig {
  readonly path: string;
  /** Writes new code for a subscriber, as its author would in an editor. */
  edit(name: string, code: string): void;
}

/** @param more what else the configuration declares */
export function writeConfig(
  subscribers: readonly TestSubscriber[],
  more: Omit<BusDeclaration, "subscribers"> = {},
): TestConfig {
  const folder = temporaryFolder();
  const handlerPath = (name: string): string => join(folder, `${name}.ts`);
  const write = (name: string, code: string): void =>
    writeFileSync(
      handlerPath(name),
      `import { subscriber } from ${JSON.stringify(projectPath("client/subscriber.ts"))};\n${code}\n`,
    );

  for (const { name, code } of subscribers) write(name, code);
  const declared = subscribers.map(({ code: _, ...rest }) => ({ ...rest, handler: handlerPath(rest.name) }));
  const path = join(folder, "bus.config.ts");
  writeFileSync(
    path,
    `import { defineBus } from ${JSON.stringify(projectPath("shared/bus-config.ts"))};
export default defineBus(${JSON.stringify({ ...more, subscribers: declared })} as never);\n`,
  );
  return { path, edit: write };
}
