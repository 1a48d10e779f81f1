// What a failed connection means, in a sentence.

const sentences: Readonly<Record<string, (place: string) => string>> = {
  ECONNREFUSED: (place) => `nothing listens on ${place}`,
  ECONNRESET: () => 'the connection was closed before the answer was complete',
  EPIPE: () => 'the connection was closed before the answer was complete',
  UND_ERR_SOCKET: () => 'the connection was closed before the answer was complete',
  ENOTFOUND: (place) => `the host name of ${place} is not known`,
  EAI_AGAIN: (place) => `the host name of ${place} cannot be looked up at the moment`,
  EHOSTUNREACH: (place) => `${place} cannot be reached`,
  ENETUNREACH: (place) => `${place} cannot be reached`,
  ETIMEDOUT: (place) => `${place} does not answer`,
  UND_ERR_CONNECT_TIMEOUT: (place) => `${place} does not answer`,
  EMFILE: () => 'this machine has no file descriptors left for a connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: (place) => `the certificate of ${place} is signed by itself`,
  SELF_SIGNED_CERT_IN_CHAIN: (place) => `the certificate of ${place} is signed by an unknown authority`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: (place) => `the certificate of ${place} is signed by an unknown authority`,
  CERT_HAS_EXPIRED: (place) => `the certificate of ${place} has expired`,
  ERR_TLS_CERT_ALTNAME_INVALID: (place) => `the certificate of ${place} is for another name`,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: () => 'the answer is not as long as it says',
  HPE_INVALID_EOF_STATE: () => 'the connection was closed before the answer was complete',
  HPE_HEADER_OVERFLOW: () => 'the head of the answer is too large',
  UND_ERR_HEADERS_OVERFLOW: () => 'the head of the answer is too large',
};

/** A connection that was tried on several addresses of one name fails with several errors; the first one tells. */
export function networkProblem(thrown: unknown, place: string): string {
  const error = thrown instanceof AggregateError ? (thrown.errors[0] as unknown) : thrown;
  const code = codeOf(error);
  const sentence = code === undefined || !Object.hasOwn(sentences, code) ? undefined : sentences[code];
  return sentence?.(place) ?? `${place} could not be asked (${code ?? 'unknown error'})`;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
