import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Completion, Completions } from "../runtime/http/completions.ts";
import type { StepContext } from "../runtime/input.ts";

/** Attempts of this host that wait for their receivers, each by a token that only its receiver has. */
export interface HeldCompletions extends Completions {
  /** Hands its completion to the attempt of that token; false when there is none, or none any more. */
  complete(token: string, completion: Completion): boolean;
}

/** What a token says in the open. */
interface Claims {
  readonly host: string;
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** Of two attempts with one number, the second one after a restart, each has its own token. */
  readonly nonce: string;
}

/**
 * `url`: where receivers reach this host, if they can; what is known only once it listens is waited for. Tokens are
 * signed with a key that ends with the process.
 */
export function createCompletions(
  host: string,
  url: string | undefined | Promise<string | undefined>,
): HeldCompletions {
  const key = randomBytes(32);
  const waiting = new Map<string, (completion: Completion) => void>();
  const sign = (claims: string): string => createHmac("sha256", key).update(claims).digest("base64url");

  return {
    async open({ runId, stepId, attempt }: StepContext) {
      const base = await url;
      if (base === undefined) return undefined;
      const nonce = randomBytes(12).toString("base64url");
      const claims: Claims = { host, run: runId, step: stepId, attempt, nonce };
      const text = Buffer.from(JSON.stringify(claims)).toString("base64url");
      const token = `${text}.${sign(text)}`;
      const { promise, resolve } = Promise.withResolvers<Completion>();
      waiting.set(text, resolve);
      return {
        url: `${base.replace(/\/+$/, "")}/v1/completions/${token}`,
        id: completionId(token),
        completed: promise,
        close: () => void waiting.delete(text),
      };
    },
    complete(token, completion) {
      const [text = "", signature = ""] = token.split(".");
      const expected = Buffer.from(sign(text));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
      const resolve = waiting.get(text);
      waiting.delete(text);
      resolve?.(completion);
      return resolve !== undefined;
    },
  };
}

/** What a history says of a completion: who has the token can show that it was this one, and nobody learns the token. */
export function completionId(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** The host that made a token, and its run; undefined for what is no token. Whoever asks may have made it up. */
export function claimsOf(token: string): Pick<Claims, "host" | "run"> | undefined {
  try {
    const text = Buffer.from(token.split(".")[0] ?? "", "base64url").toString();
    const { host, run } = JSON.parse(text) as Partial<Claims>;
    return typeof host === "string" && typeof run === "string" ? { host, run } : undefined;
  } catch {
    return undefined;
  }
}
