/** `npm run chaos`: the chaos run for as long as one likes. Exit code 1 when an invariant was broken. */
import { parseArgs } from "node:util";
import { reportOf } from "./report.ts";
import { runChaos } from "./run.ts";

const USAGE = `Agents of every kind use the embedded run while its store fails, lies and falls over, and its process is
killed; when all is quiet again, what they were told is compared with what is recorded.

Usage: npm run chaos -- [options]

  --minutes <number>  for at least so long (default 5)
  --seed <number>     of faults and load (default: a new one, which is printed)
  --emits <number>    events of a round (default 2000)
  --waits <number>    questions of a round (default 1000)
  --calm              the same load without any fault
  --verbose           what the bus prints, too
  --help              this text

Its last lines are a table of what was done, injected and found. Exit code 1: an invariant was broken.`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
    emits: { type: "string", default: "2000" },
    waits: { type: "string", default: "1000" },
    calm: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(USAGE);
else {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  console.log(`seed ${seed}`);
  const result = await runChaos({
    seed,
    minutes: Number(values.minutes),
    emits: Number(values.emits),
    waits: Number(values.waits),
    faults: !values.calm,
    print: (line) => {
      if (values.verbose || !line.startsWith("  bus: ")) console.log(line);
    },
  });
  console.log(reportOf(result));
  if (result.violations.length > 0) {
    console.log(`replay: npm run chaos -- --seed ${seed} --minutes ${values.minutes}`);
    process.exitCode = 1;
  }
}
