import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Completion, Completions } from "../runtime/http/completions.ts";
import type { StepContext } from "../runtime/input.ts";
import type { KeyValues } from "../runtime/key-values.ts";

/** Attempts of this host that wait for their receivers, each by a token that only its receiver has. */
export interface HeldCompletions extends Completions {
  /** What a token says; undefined for one that no host of the store has made. */
  read(token: string): Promise<CompletionClaims | undefined>;
  /** Hands its completion to the attempt of that token; false when there is none, or none any more. */
  complete(token: string, completion: Completion): boolean;
}

/** Which attempt a token completes: made again on another host, it is the same one. */
export interface CompletionClaims {
  readonly run: string;
  /** The step's, or its item's. */
  readonly idempotencyKey: string;
  readonly attempt: number;
}

/** `url`: where receivers reach this host, if they can; what is known only once it listens is waited for. */
export function createCompletions(
  url: string | undefined | Promise<string | undefined>,
  key: () => Promise<Uint8Array>,
): HeldCompletions {
  const waiting = new Map<string, (completion: Completion) => void>();
  const sign = async (claims: string): Promise<string> =>
    createHmac("sha256", await key())
      .update(claims)
      .digest("base64url");

  return {
    async open({ runId: run, idempotencyKey, attempt }: StepContext) {
      const base = await url;
      if (base === undefined) return undefined;
      const claims: CompletionClaims = { run, idempotencyKey, attempt };
      const text = Buffer.from(JSON.stringify(claims)).toString("base64url");
      const token = `${text}.${await sign(text)}`;
      const { promise, resolve } = Promise.withResolvers<Completion>();
      waiting.set(token, resolve);
      return {
        url: `${base.replace(/\/+$/, "")}/v1/completions/${token}`,
        id: completionId(token),
        completed: promise,
        close() {
          // The same attempt may have been begun anew meanwhile.
          if (waiting.get(token) === resolve) waiting.delete(token);
        },
      };
    },
    async read(token) {
      const [text = "", signature = ""] = token.split(".");
      const claims = parse(text);
      if (claims === undefined) return undefined;
      const expected = Buffer.from(await sign(text));
      const given = Buffer.from(signature);
      return given.length === expected.length && timingSafeEqual(given, expected) ? claims : undefined;
    },
    complete(token, completion) {
      const resolve = waiting.get(token);
      waiting.delete(token);
      resolve?.(completion);
      return resolve !== undefined;
    },
  };
}

/** What a history says of a completion: who has the token can show that it was this one, and nobody learns the token. */
export function completionId(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** No function has this id. */
const keeper = "$completions";

/** The key with which all hosts of a store sign; the first one that needs it makes it. */
export function storeKey(keyValues: Pick<KeyValues, "get" | "set">): () => Promise<Uint8Array> {
  let known: Promise<Uint8Array> | undefined;
  const find = async (): Promise<Uint8Array> => {
    for (;;) {
      const found = await keyValues.get(keeper, "key");
      if (found !== undefined) return found.value;
      await keyValues.set(keeper, "key", randomBytes(32), null);
    }
  };
  return () => {
    const finding = (known ??= find());
    // Another time the store may answer.
    finding.catch(() => (known = undefined));
    return finding;
  };
}

function parse(text: string): CompletionClaims | undefined {
  try {
    const claims = JSON.parse(Buffer.from(text, "base64url").toString()) as Partial<CompletionClaims> | null;
    const { run, idempotencyKey, attempt } = claims ?? {};
    if (typeof run !== "string" || typeof idempotencyKey !== "string" || typeof attempt !== "number")
      return undefined;
    return { run, idempotencyKey, attempt };
  } catch {
    return undefined;
  }
}
