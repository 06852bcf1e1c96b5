/** A failure for the log: where it happened, and what caused it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` (cause: ${describeError(error.cause)})`;
  return `${error.stack ?? error.message}${cause}`;
}
