import { BusError, type ErrorCode } from "../../shared/errors.ts";

/** The bus's error that a promise fails with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<BusError> {
  const outcome = await promise.then(
    (value) => new Error(`It did not fail, and gave ${JSON.stringify(value)}.`),
    (error: unknown) => error,
  );
  if (outcome instanceof BusError) return outcome;
  throw outcome;
}

export const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode> => (await failureOf(promise)).code;
