import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { LinkName } from "./function/definition.ts";
import { digestJson } from "./function/digest.ts";
import type { Gates } from "./state/state.ts";

/** A wait of a run that people end by a link. */
export interface LinkPlace {
  readonly runId: string;
  readonly wait: string;
}

/** Links that people open to answer what a run waits for. Every host of a store makes the same, and knows all of them. */
export interface Links {
  /** The addresses of a run's links by name; undefined where nobody could reach this host. */
  addresses(runId: string, names: readonly LinkName[]): Promise<Readonly<Record<string, string>> | undefined>;
  /** What a token is for; undefined for one that no host of this store made. */
  read(token: string): Promise<LinkPlace | undefined>;
}

interface LinksOptions {
  readonly gates: Gates;
  /** Where people reach this host, if they can. */
  readonly url: string | undefined | Promise<string | undefined>;
}

/** Where the store has the key that links are signed with. */
const keyPlace = digestJson(["links"]).slice(0, 32);

export function createLinks({ gates, url }: LinksOptions): Links {
  let key: Promise<Buffer> | undefined;

  /** The first host makes it; the others find it. */
  const findKey = async (): Promise<Buffer> => {
    for (;;) {
      const known = await gates.load(keyPlace);
      if (typeof known?.value === "string") return Buffer.from(known.value, "base64");
      await gates.store(keyPlace, randomBytes(32).toString("base64"), null);
    }
  };
  const sign = async (text: string): Promise<Buffer> => {
    key ??= findKey();
    // A store that did not answer is asked again the next time.
    const found = await key.catch((error: unknown) => {
      key = undefined;
      throw error;
    });
    return createHmac("sha256", found).update(text).digest();
  };

  return {
    async addresses(runId, names) {
      const base = (await url)?.replace(/\/+$/, "");
      if (base === undefined) return undefined;
      const entries = names.map(async ({ name, wait }) => {
        const text = Buffer.from(JSON.stringify([runId, wait])).toString("base64url");
        return [name, `${base}/v1/links/${text}.${(await sign(text)).toString("base64url")}`] as const;
      });
      return Object.fromEntries(await Promise.all(entries));
    },
    async read(token) {
      const [text = "", signature = "", ...rest] = token.split(".");
      const given = Buffer.from(signature, "base64url");
      const expected = await sign(text);
      if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
        return undefined;
      const [runId = "", wait = ""] = JSON.parse(Buffer.from(text, "base64url").toString()) as string[];
      return { runId, wait };
    },
  };
}
