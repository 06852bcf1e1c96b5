/** Why a call failed, in a few words for the owner of the endpoint. */

/** By the codes of Node and of OpenSSL. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed without a whole answer",
  EPIPE: "the connection was closed without a whole answer",
  ERR_STREAM_PREMATURE_CLOSE: "the connection was closed without a whole answer",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the host cannot be reached",
  EADDRNOTAVAIL: "the host cannot be reached",
  ETIMEDOUT: "the connection timed out",
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate is from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "certificate is from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate is from an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate is from an unknown authority, or its chain is not complete",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate is for another name",
  HPE_HEADER_OVERFLOW: "the headers of the answer are too large",
};

/** By what a code begins with. */
const FAMILIES: readonly (readonly [prefix: string, reason: string])[] = [
  ["HPE_", "the answer is not HTTP"],
  ["CERT_", "certificate cannot be trusted"],
  ["ERR_SSL_", "TLS failed"],
  ["ERR_TLS_", "TLS failed"],
  ["EPROTO", "TLS failed"],
];

/** Never the error's own message, which may quote what only the bus should know. */
export function failureReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = REASONS[code];
  if (known !== undefined) return known;
  const family = FAMILIES.find(([prefix]) => code.startsWith(prefix));
  if (family !== undefined) return `${family[1]} (${code})`;
  return code === "" ? "the connection was closed without an answer" : `the call failed (${code})`;
}
