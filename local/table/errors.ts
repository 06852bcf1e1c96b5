/** Failures by the names that DynamoDB gives them: by these its callers tell them apart. */

export const invalidCall = (message: string): Error => named("ValidationException", message);

export const conditionFailed = (): Error => named("ConditionalCheckFailedException", "The conditional request failed");

export const tableNotFound = (tableName: string): Error =>
  named("ResourceNotFoundException", `Requested resource not found: there is no table ${tableName} here`);

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
