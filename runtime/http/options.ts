import type { StepFailure, StepProgram } from "../driver.ts";
import { failure } from "../failure.ts";

/** What the `runtime` of an HTTP step says. */
export interface HttpOptions {
  readonly url: URL;
  /** The name of the secret that requests are signed with. */
  readonly secret?: string;
}

/** Reads a program's options. A document's own were checked before; this is for versions that came another way. */
export function httpOptions({ runtime }: StepProgram): HttpOptions | StepFailure {
  const { url: text, secret } = runtime;
  if (typeof text !== "string" || !URL.canParse(text)) return wrong("`url` is no URL");
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) return wrong("`url` is neither https: nor http:");
  if (url.username !== "" || url.password !== "") return wrong("`url` has a name or a password in it");
  if (secret !== undefined && typeof secret !== "string") return wrong("`secret` is no secret's name");
  return { url, ...(secret !== undefined && { secret }) };
}

function wrong(what: string): StepFailure {
  return failure("ERR_HTTP_URL", `The step's \`runtime\` can't be used: ${what}.`);
}
