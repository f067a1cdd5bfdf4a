import { createHmac } from "node:crypto";

/** Headers that say who sent a body, and when. */
export interface SignedHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature"?: string;
}

/**
 * Signs a body as the Standard Webhooks specification 1.0 has it: HMAC-SHA256 over `<id>.<timestamp>.<body>`, in base64
 * behind "v1,". `at` is in milliseconds since 1970. A secret that begins with "whsec_" is base64 from there on; any other
 * is taken as it is, in UTF-8.
 */
export function signedHeaders(
  id: string,
  at: number,
  body: string,
  secret: string | undefined,
): SignedHeaders {
  const timestamp = String(Math.floor(at / 1000));
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp };
  if (secret === undefined) return headers;
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { ...headers, "webhook-signature": `v1,${signature}` };
}
