/** What mutation testing runs: the tests that need neither a port nor a process. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/unit/**/*.test.ts"],
    // Code that counts its coverage takes its time.
    testTimeout: 120_000,
    // They try the edge and the embedded run, or start processes: they say nothing of the domain.
    exclude: [
      "test/unit/{ci,client,examples,functions,local}/**",
      "test/unit/{failure-matrix,import-direction}.test.ts",
      // Thousands of cases each: they find what nobody thought of, and would be run again for almost every mutant.
      "test/unit/{hostile-texts,spending,*-fuzz}.test.ts",
      "test/unit/agents/policy-matrix.test.ts",
    ],
  },
});
