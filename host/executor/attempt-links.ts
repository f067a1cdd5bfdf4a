import type { AttemptResult } from "../../runtime/driver.ts";
import type { StepInput } from "../../runtime/input.ts";
import type { Links } from "../links.ts";
import type { Execution } from "../run/execution.ts";
import { failedWith } from "../run/invocation.ts";

/** The links that an attempt is to be given, or what it ends with, since it can't have them. */
type AttemptLinks =
  | { readonly ok: true; readonly addresses: Readonly<Record<string, string>> | undefined }
  | { readonly ok: false; readonly ended: AttemptResult };

export async function linksOf(
  { step: { links: names } }: Execution,
  runId: string,
  links: Pick<Links, "addresses">,
): Promise<AttemptLinks> {
  if (names === undefined) return { ok: true, addresses: undefined };
  try {
    const addresses = await links.addresses(runId, names);
    if (addresses !== undefined) return { ok: true, addresses };
    const message = "The step is to hand out links, and the host has no address at which others reach it.";
    return { ok: false, ended: failedWith("ERR_STEP_LINKS", message) };
  } catch (error) {
    const message = `The links can't be signed: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, ended: failedWith("ERR_STEP_LINKS", message) };
  }
}

export function withLinks(input: StepInput, links: Readonly<Record<string, string>> | undefined): StepInput {
  return links === undefined ? input : { ...input, ctx: { ...input.ctx, links } };
}
