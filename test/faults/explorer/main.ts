/** `npm run explore`: all that is explored, and for each broken variant the shortest way to what it breaks. */
import { deliveryModel } from "./delivery/model.ts";
import { BROKEN_VARIANTS as BROKEN_DELIVERIES } from "./delivery/variants.ts";
import { type Exploration, explore, toldOf } from "./explore.ts";
import { requestModel } from "./request/model.ts";
import { BROKEN_VARIANTS as BROKEN_REQUESTS } from "./request/variants.ts";

/** A part of a variant's name; without it, all. */
const wanted = process.argv[2] ?? "";

function show(title: string, run: () => Exploration): void {
  if (!title.includes(wanted)) return;
  const startMs = performance.now();
  const found = run();
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  process.stdout.write(`${title}: ${found.states} states, ${found.quiet} at rest, ${seconds} s\n${toldOf(found)}\n\n`);
}

for (const variant of ["as it is", ...BROKEN_REQUESTS] as const)
  show(`request, ${variant}`, () => explore(requestModel(variant, variant === "as it is" ? 4 : 3)));
for (const variant of ["as it is", ...BROKEN_DELIVERIES] as const)
  show(`delivery, ${variant}`, () => explore(deliveryModel(variant, 3)));
