import type { Json } from "../../runtime/json.ts";
import { parseDuration } from "./duration.ts";
import type { Findings } from "./finding.ts";
import { member, objectOf } from "./outline.ts";

/** Controls that decide on a run by the one event that it is for. */
const byEvent = ["idempotency", "singleton", "rateLimit", "throttle"];

/** Checks that what collects events can do what it says, and what stands beside it. */
export function checkCollect(document: Json, findings: Findings): void {
  const root = objectOf(document);
  const code = "ERR_FUNCTION_FLOW";
  const [by, other] = ["batch", "debounce"].filter((control) => member(root, control) !== undefined);
  if (by === undefined) return;
  if (other !== undefined) {
    const message = "`debounce` and `batch` exclude each other: the one keeps the last event, the other all";
    findings.add({ code, pointer: "/debounce", place: "key", message }, () => "leave one of the two out");
  }
  for (const control of byEvent) {
    if (member(root, control) === undefined) continue;
    const message = `\`${control}\` is about runs for one event, and \`${by}\` has several go into one`;
    findings.add({ code, pointer: `/${control}`, place: "key", message }, () => "leave one of the two out");
  }
  const [period, timeout] = ["period", "timeout"].map((key) => {
    const value = member(objectOf(member(root, "debounce")), key);
    return typeof value === "string" ? parseDuration(value) : undefined;
  });
  if (period === undefined || timeout === undefined || timeout >= period) return;
  const message = "the run would begin before its `period` is over: `timeout` is shorter";
  findings.add({ code, pointer: "/debounce/timeout", message }, () => "make it longer, or leave it out");
}
