import { none } from "../host-function.ts";

/** A case of `error-code`, with its payload. */
export type ErrorCode = readonly [number, unknown];

const dnsError = "record{rcode: option<string>, info-code: option<u16>}";
const tlsAlert = "record{alert-id: option<u8>, alert-message: option<string>}";
const fieldSize = "record{field-name: option<string>, field-size: option<u32>}";
const noField = [none, none];

type MakePayload = (detail: string | undefined) => unknown;

const text: MakePayload = (detail) => (detail === undefined ? none : [1, detail]);

/** The cases in their order: the type of the payload, and what it is where the host says why. */
const cases: readonly (readonly [name: string, type?: string, payload?: MakePayload])[] = [
  ["DNS-timeout"],
  ["DNS-error", dnsError, (detail) => [text(detail), none]],
  ["destination-not-found"],
  ["destination-unavailable"],
  ["destination-IP-prohibited"],
  ["destination-IP-unroutable"],
  ["connection-refused"],
  ["connection-terminated"],
  ["connection-timeout"],
  ["connection-read-timeout"],
  ["connection-write-timeout"],
  ["connection-limit-reached"],
  ["TLS-protocol-error"],
  ["TLS-certificate-error"],
  ["TLS-alert-received", tlsAlert, (detail) => [none, text(detail)]],
  ["HTTP-request-denied"],
  ["HTTP-request-length-required"],
  ["HTTP-request-body-size", "option<u64>", () => none],
  ["HTTP-request-method-invalid"],
  ["HTTP-request-URI-invalid"],
  ["HTTP-request-URI-too-long"],
  ["HTTP-request-header-section-size", "option<u32>", () => none],
  ["HTTP-request-header-size", `option<${fieldSize}>`, () => none],
  ["HTTP-request-trailer-section-size", "option<u32>", () => none],
  ["HTTP-request-trailer-size", fieldSize, () => noField],
  ["HTTP-response-incomplete"],
  ["HTTP-response-header-section-size", "option<u32>", () => none],
  ["HTTP-response-header-size", fieldSize, () => noField],
  ["HTTP-response-body-size", "option<u64>", () => none],
  ["HTTP-response-trailer-section-size", "option<u32>", () => none],
  ["HTTP-response-trailer-size", fieldSize, () => noField],
  ["HTTP-response-transfer-coding", "option<string>", text],
  ["HTTP-response-content-coding", "option<string>", text],
  ["HTTP-response-timeout"],
  ["HTTP-upgrade-failed"],
  ["HTTP-protocol-error"],
  ["loop-detected"],
  ["configuration-error"],
  ["internal-error", "option<string>", text],
];

const spelt = cases.map(([name, type]) => (type === undefined ? name : `${name}(${type})`));

/** The type, spelt out. */
export const errorCode = `variant{${spelt.join(", ")}}`;

/** The case of that name; what the host says beside it goes where the case has room for a text. */
export function errorNamed(name: string, detail?: string): ErrorCode {
  const found = cases.findIndex(([other]) => other === name);
  const number = found === -1 ? cases.length - 1 : found;
  return [number, cases[number]?.[2]?.(detail)];
}

/** A body that is larger than the one or other said it is. */
export function bodySizeError(bytes: number): ErrorCode {
  const [number] = errorNamed("HTTP-request-body-size");
  return [number, [1, BigInt(bytes)]];
}

/** The name of a case, for people. */
export function nameOfError([number]: ErrorCode): string {
  return cases[number]?.[0] ?? "";
}
