/** Names of the cases of wasi:http's `error-code` that a request can come to. */
export type HttpErrorCode =
  | "DNS-timeout"
  | "DNS-error"
  | "destination-not-found"
  | "destination-unavailable"
  | "destination-IP-prohibited"
  | "destination-IP-unroutable"
  | "connection-refused"
  | "connection-terminated"
  | "connection-timeout"
  | "connection-read-timeout"
  | "TLS-protocol-error"
  | "TLS-certificate-error"
  | "HTTP-request-denied"
  | "HTTP-request-body-size"
  | "HTTP-request-method-invalid"
  | "HTTP-request-URI-invalid"
  | "HTTP-request-URI-too-long"
  | "HTTP-request-header-section-size"
  | "HTTP-response-incomplete"
  | "HTTP-response-header-section-size"
  | "HTTP-response-timeout"
  | "HTTP-upgrade-failed"
  | "HTTP-protocol-error"
  | "internal-error";

/** Why a request was not sent, or has no response. The text is for whoever wrote the step. */
export class EgressRefusal extends Error {
  readonly code: HttpErrorCode;
  constructor(code: HttpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codes: Readonly<Record<string, HttpErrorCode>> = {
  UND_ERR_CONNECT_TIMEOUT: "connection-timeout",
  UND_ERR_HEADERS_TIMEOUT: "HTTP-response-timeout",
  UND_ERR_BODY_TIMEOUT: "connection-read-timeout",
  UND_ERR_HEADERS_OVERFLOW: "HTTP-response-header-section-size",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "HTTP-response-incomplete",
  UND_ERR_SOCKET: "connection-terminated",
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-terminated",
  EPIPE: "connection-terminated",
  ETIMEDOUT: "connection-timeout",
  EHOSTUNREACH: "destination-IP-unroutable",
  ENETUNREACH: "destination-IP-unroutable",
  EADDRNOTAVAIL: "destination-IP-unroutable",
  EAI_AGAIN: "DNS-timeout",
  ENOTFOUND: "destination-not-found",
  EPROTO: "TLS-protocol-error",
  DEPTH_ZERO_SELF_SIGNED_CERT: "TLS-certificate-error",
  SELF_SIGNED_CERT_IN_CHAIN: "TLS-certificate-error",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "TLS-certificate-error",
  UNABLE_TO_GET_ISSUER_CERT: "TLS-certificate-error",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "TLS-certificate-error",
  ERR_TLS_CERT_ALTNAME_INVALID: "TLS-certificate-error",
};

/** What an error of the network, or of the HTTP client, is to a guest. `started`: the response had begun. */
export function refusalOf(error: unknown, started: boolean): EgressRefusal {
  if (error instanceof EgressRefusal) return error;
  const { name, code = "", message, cause } = error as NodeJS.ErrnoException;
  if (cause instanceof EgressRefusal) return cause;
  const known = name === "HTTPParserError" ? "HTTP-protocol-error" : (codes[code] ?? byPrefix(code));
  const cut = started && known === "connection-terminated" ? "HTTP-response-incomplete" : known;
  // An error of several connections has no message of its own.
  return new EgressRefusal(cut, message === "" ? code : message, { cause: error });
}

function byPrefix(code: string): HttpErrorCode {
  if (code.startsWith("CERT_")) return "TLS-certificate-error";
  return code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") ? "TLS-protocol-error" : "internal-error";
}
