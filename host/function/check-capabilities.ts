import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import type { Findings } from "./finding.ts";
import { member, objectOf } from "./outline.ts";

/** Checks that capabilities are asked for by steps that can have them: a container has what its operator gives it. */
export function checkCapabilities(document: Json, findings: Findings): void {
  for (const [id, value] of Object.entries(objectOf(member(objectOf(document), "steps")))) {
    const step = objectOf(value);
    const runtime = member(objectOf(member(step, "runtime")), "type") ?? "wasm";
    if (runtime === "wasm" || member(step, "capabilities") === undefined) continue;
    findings.add({
      code: "ERR_FUNCTION_CAPABILITY",
      pointer: `/steps${pointerStep(id)}/capabilities`,
      place: "key",
      message: `a step of runtime ${JSON.stringify(runtime)} has no capabilities`,
      expected: "capabilities with runtime wasm alone",
    });
  }
}
