/** `npm run model`: what a load needs of AWS, where it comes to an end first, and what it costs. */
import { type Options, readOptions, usage } from "./options.ts";
import { report } from "./report.ts";

function main(args: readonly string[]): number {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage()}`);
    return 1;
  }
  console.log(options.isHelp ? usage() : report(options.load));
  return 0;
}

process.exitCode = main(process.argv.slice(2));
