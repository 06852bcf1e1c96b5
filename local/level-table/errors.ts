/** Failures by the names that DynamoDB gives them: by these its callers tell them apart. */

export function invalidCall(message: string): Error {
  return named("ValidationException", message);
}

export function conditionFailed(): Error {
  return named("ConditionalCheckFailedException", "The conditional request failed");
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
