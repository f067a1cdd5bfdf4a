import { nearest } from "../nearest.ts";
import { compileCron, defaultTimezone } from "./cron.ts";
import type { Findings } from "./finding.ts";
import { member, objectOf, type Outline } from "./outline.ts";

/** Checks the schedules of triggers: what is no text is the schema's to find. */
export function checkTriggers({ triggers }: Outline, findings: Findings): void {
  for (const { pointer, value } of triggers) {
    const trigger = objectOf(value);
    const pattern = member(trigger, "cron");
    const timezone = member(trigger, "timezone") ?? defaultTimezone;
    if (typeof pattern !== "string" || typeof timezone !== "string") continue;
    const compiled = compileCron(pattern, timezone);
    if (compiled.ok) continue;
    const { what, message } = compiled;
    const expected = what === "cron" ? "a schedule such as 0 9 * * MON-FRI" : "a name such as Europe/Berlin";
    findings.add({ code: "ERR_FUNCTION_CRON", pointer: `${pointer}/${what}`, message, expected }, () =>
      what === "timezone" ? nearest(timezone, Intl.supportedValuesOf("timeZone")) : undefined,
    );
  }
}
