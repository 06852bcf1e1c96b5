/** An agent's AWS credentials. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Asked before each signature, so that credentials may expire; what it does should be cached by itself. */
export type CredentialsProvider = () => Promise<Credentials>;
