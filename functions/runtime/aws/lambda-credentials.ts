/**
 * Stands in for the SDK's chain of credential providers in the bundles of the bus's own functions (`infra/bundling.ts`): of
 * all the places that the chain looks in, Lambda has two. The rest is a sixth of what a function's start costs.
 */
import { readIdentity } from "./config.ts";
import { type CredentialSource, type Credentials, credentialsOf } from "./lean/credentials.ts";

/** As the SDK's clients take credentials. */
interface SdkCredentials extends Omit<Credentials, "expiresAtMs"> {
  readonly expiration?: Date;
}

/** Under the name by which the SDK's clients import it. What it returns rejects when there are no credentials. */
export function defaultProvider(): () => Promise<SdkCredentials> {
  let source: CredentialSource | null = null;
  return async () => {
    source ??= credentialsOf(readIdentity());
    const { expiresAtMs, ...credentials } = await source.current();
    return { ...credentials, ...(expiresAtMs === undefined ? {} : { expiration: new Date(expiresAtMs) }) };
  };
}
