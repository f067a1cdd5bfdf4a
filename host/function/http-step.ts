import type { Capabilities } from "../../runtime/capabilities.ts";
import type { StepProgram } from "../../runtime/driver.ts";
import { headerSecrets } from "../../runtime/http/step-headers.ts";
import { type ParsedDestination, parseDestination } from "./destination.ts";

/** Where a URL leads, as an operator's policy has it; or why it leads nowhere. */
export function urlDestination(text: string): ParsedDestination {
  const authority = URL.canParse(text) ? /^https?:\/\/[^/?#]+/.exec(text)?.[0] : undefined;
  if (authority === undefined) return { ok: false, message: `${JSON.stringify(text)} is no URL` };
  const parsed = parseDestination(authority);
  const isMany = parsed.ok && parsed.destination.host.startsWith("*");
  return isMany ? { ok: false, message: "a URL has one host, and no `*`" } : parsed;
}

/**
 * What a step of runtime http asks for by its options: requests to its URL, the secret that signs them, and those in
 * its headers. Nothing where it has no URL, which its driver tells.
 */
export function httpStepCapabilities(runtime: StepProgram["runtime"]): Capabilities | undefined {
  const { url, secret, private: isPrivate, headers } = runtime;
  const parsed = typeof url === "string" ? urlDestination(url) : undefined;
  if (parsed?.ok !== true) return undefined;
  const { destination } = parsed;
  const names = [...(typeof secret === "string" ? [secret] : []), ...headerSecrets(headers)];
  return {
    http: [{ ...destination, methods: ["POST"], private: isPrivate === true }],
    ...(names.length > 0 && {
      secrets: Object.fromEntries(names.map((name) => [name, { hosts: [destination] }])),
    }),
  };
}
