import type { RuntimeErrorCode } from "../errors.ts";

/**
 * What a guest's import asks of the host while its attempt runs. Bytes travel beside it: a request's body, a value.
 * An engine carries calls and knows only the WASI functions that make them; what they do is the host's.
 */
export type HostCall =
  | HttpCall
  | { readonly op: "kv.get" | "kv.delete" | "kv.exists"; readonly bucket: string; readonly key: string }
  /** Keys behind `cursor`, a page of them. */
  | { readonly op: "kv.keys"; readonly bucket: string; readonly cursor?: string }
  /** With `revision` only where the key still has it; `null`: only where there is no such key. The value is the bytes. */
  | {
      readonly op: "kv.set";
      readonly bucket: string;
      readonly key: string;
      readonly revision?: string | null;
    }
  | { readonly op: "kv.increment"; readonly bucket: string; readonly key: string; readonly delta: string };

/** One outgoing request; its body is the bytes. */
interface HttpCall {
  readonly op: "http";
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host, and port if there is one, as the guest wrote it. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case; values as Latin-1. */
  readonly headers: readonly (readonly [string, string])[];
  /** The guest's own wishes, in milliseconds. */
  readonly connectTimeoutMs?: number;
  readonly firstByteTimeoutMs?: number;
  readonly betweenBytesTimeoutMs?: number;
}

/** What the host answers: the bytes are a response's body, or a value. */
export type HostAnswer =
  | { readonly kind: "response"; readonly status: number; readonly headers: HttpCall["headers"] }
  /** `code`: the name of a case of wasi:http's `error-code`, such as "HTTP-request-denied". */
  | { readonly kind: "http-error"; readonly code: string; readonly detail?: string }
  /** A key's value, if it has one, and the revision that a compare-and-set names. */
  | { readonly kind: "value"; readonly found: boolean; readonly revision?: string }
  /** Whether a `kv.set` was done, or what the others found. */
  | { readonly kind: "done"; readonly changed: boolean }
  | { readonly kind: "count"; readonly value: string }
  | { readonly kind: "keys"; readonly keys: readonly string[]; readonly cursor?: string }
  /** wasi:keyvalue's `error`: "no-such-store", "access-denied", or another text. */
  | {
      readonly kind: "kv-error";
      readonly code: "no-such-store" | "access-denied" | "other";
      readonly detail?: string;
    }
  /** A limit was broken: the attempt ends with this failure, whatever the guest does. */
  | { readonly kind: "breach"; readonly code: RuntimeErrorCode; readonly message: string };

/** A call or an answer with its bytes. */
export interface WithBytes<T> {
  readonly head: T;
  readonly bytes?: Uint8Array;
}

/** Answers the calls of one attempt. Never rejects for what a guest asks. `signal`: the attempt has ended. */
export type HostCalls = (call: WithBytes<HostCall>, signal: AbortSignal) => Promise<WithBytes<HostAnswer>>;
