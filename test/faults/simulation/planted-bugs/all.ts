/** Ways to break the bus, one at a time: each must be caught, or the simulation proves nothing. */

import { DELIVERY_BUGS } from "./deliveries.ts";
import { HISTORY_BUGS } from "./looking.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { PUBLISHING_BUGS } from "./publishing.ts";
import { REQUEST_BUGS } from "./requests.ts";

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...PUBLISHING_BUGS,
  ...REQUEST_BUGS,
  ...DELIVERY_BUGS,
  ...HISTORY_BUGS,
];
