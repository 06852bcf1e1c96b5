/** Every operation of the bus, as somebody does it who does it again until it is done. */
import { ASKING } from "./asking.ts";
import { CATCHING_UP } from "./catching-up.ts";
import { DELIVERING } from "./delivering.ts";
import type { OperationUnderTest } from "./operation.ts";
import { PUBLISHING } from "./publishing.ts";
import { SUBSCRIBING } from "./subscribing.ts";

export const OPERATIONS: readonly OperationUnderTest[] = [
  ...PUBLISHING,
  ...ASKING,
  ...SUBSCRIBING,
  ...DELIVERING,
  ...CATCHING_UP,
];
