import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

describe("the client", () => {
  it("can be bundled for a browser, which has no modules of Node", async () => {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: ["client/agent-event-bus.ts", "client/context.ts"],
      outdir: "unused",
      bundle: true,
      platform: "browser",
      format: "esm",
      write: false,
      metafile: true,
      // Fails for what cannot be resolved, as `node:crypto`.
      logLevel: "silent",
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs).toContain("shared/sha256.ts");
    expect(inputs.filter((path) => path.startsWith("functions/"))).toEqual([]);
  });
});
