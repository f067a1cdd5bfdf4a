import type { StepFailure, StepProgram } from "../driver.ts";
import { failure } from "../failure.ts";
import { headerProblem, type StepHeader, stepHeader } from "./step-headers.ts";

/** What the `runtime` of an HTTP step says. */
export interface HttpOptions {
  readonly url: URL;
  /** The name of the secret that requests are signed with. */
  readonly secret?: string;
  /** Further ones, by name in lower case. */
  readonly headers: ReadonlyMap<string, StepHeader>;
}

/** Reads a program's options. A document's own were checked before; this is for versions that came another way. */
export function httpOptions({ runtime }: StepProgram): HttpOptions | StepFailure {
  const { url: text, secret, headers: given = {} } = runtime;
  if (typeof text !== "string" || !URL.canParse(text)) return wrong("`url` is no URL");
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) return wrong("`url` is neither https: nor http:");
  if (url.username !== "" || url.password !== "") return wrong("`url` has a name or a password in it");
  if (secret !== undefined && typeof secret !== "string") return wrong("`secret` is no secret's name");
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return wrong("`headers` are not an object");
  }
  const headers = new Map<string, StepHeader>();
  for (const [name, value] of Object.entries(given)) {
    const problem = headerProblem(name, value);
    const header = stepHeader(value);
    if (problem !== undefined || header === undefined) {
      return wrong(`the header ${JSON.stringify(name)} ${problem ?? "is none"}`);
    }
    headers.set(name.toLowerCase(), header);
  }
  return { url, headers, ...(secret !== undefined && { secret }) };
}

function wrong(what: string): StepFailure {
  return failure("ERR_HTTP_URL", `The step's \`runtime\` can't be used: ${what}.`);
}
