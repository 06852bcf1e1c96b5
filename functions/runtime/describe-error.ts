/** Causes of causes that are told. */
const MAX_CAUSES = 5;

/** A failure for the log: where it happened, and what caused it. Never throws. */
export function describeError(error: unknown, causes = MAX_CAUSES): string {
  try {
    if (!(error instanceof Error)) return typeof error === "object" ? "(an object was thrown)" : String(error);
    const cause =
      error.cause === undefined || causes === 0 ? "" : ` (cause: ${describeError(error.cause, causes - 1)})`;
    return `${withoutQuotation(error)}${cause}`;
  } catch {
    return "(an error that cannot be read)";
  }
}

/** Parsers quote in their messages what they could not read, which may be anybody's payload. */
function withoutQuotation(error: Error): string {
  const told = error.stack ?? `${error.name}: ${error.message}`;
  return error instanceof SyntaxError ? told.replace(error.message, "(what was not understood)") : told;
}
