import type { Json } from "../../runtime/json.ts";
import type { Findings } from "./finding.ts";
import { listOf, member, objectOf } from "./outline.ts";

/** Checks that limits which functions share have a name, that no two count the same, and that a priority has a use. */
export function checkFlowControl(document: Json, findings: Findings): void {
  const root = objectOf(document);
  const seen = new Set<string>();
  for (const [index, value] of listOf(root, "concurrency").entries()) {
    const limit = objectOf(value);
    const pointer = `/concurrency/${index}`;
    const [scope = "function", name, key] = ["scope", "name", "key"].map((of) => member(limit, of));
    if (scope === "shared" && name === undefined) {
      const message = "a limit that functions share needs a name, which is the same in all of them";
      findings.add({ code: "ERR_FUNCTION_SCHEMA", pointer, message });
    }
    if (scope === "function" && name !== undefined) {
      const message = "a limit of this function alone has no name";
      findings.add(
        { code: "ERR_FUNCTION_SCHEMA", pointer: `${pointer}/name`, place: "key", message },
        () => `leave it out, or write "scope": "shared"`,
      );
    }
    const identity = JSON.stringify(scope === "shared" ? [name] : [null, key ?? null]);
    if (seen.has(identity)) {
      const message = "another limit counts the same runs";
      findings.add({ code: "ERR_FUNCTION_DUPLICATE", pointer, message });
    }
    seen.add(identity);
  }
  if (member(root, "priority") === undefined || member(root, "concurrency") !== undefined) return;
  const message = "it orders runs that wait for a slot, and without `concurrency` none does";
  findings.add({ code: "ERR_FUNCTION_SCHEMA", pointer: "/priority", place: "key", message });
}
