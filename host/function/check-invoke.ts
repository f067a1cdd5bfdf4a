import { pointerStep } from "../json-pointer.ts";
import type { Json } from "../../runtime/json.ts";
import type { Findings } from "./finding.ts";
import { member, objectOf } from "./outline.ts";

/** What only steps with a program have. */
const ofPrograms = ["path", "build", "runtime", "capabilities", "timeout", "forEach"];

/** Checks that a step that invokes a function has nothing besides that only a program could have. */
export function checkInvoke(document: Json, findings: Findings): void {
  for (const [id, value] of Object.entries(objectOf(member(objectOf(document), "steps")))) {
    const step = objectOf(value);
    if (member(step, "invoke") === undefined) continue;
    for (const name of ofPrograms) {
      if (member(step, name) === undefined) continue;
      const message = `a step that invokes a function has no program, and can't have \`${name}\``;
      const pointer = `/steps${pointerStep(id)}/${name}`;
      const expected = name === "timeout" ? "`timeout` within `invoke`" : undefined;
      findings.add({
        code: "ERR_FUNCTION_INVOKE",
        pointer,
        place: "key",
        message,
        ...(expected === undefined ? {} : { expected }),
      });
    }
  }
}
