import { canonicalJson } from "./digest.ts";
import type { Findings } from "./finding.ts";
import { isOciReference, parseOciReference } from "./oci-reference.ts";
import type { Outline } from "./outline.ts";
import { parseStepPath } from "./step-path.ts";

/** Checks what each trigger and each step says of itself: doubles, ids, paths. */
export function checkSteps({ triggers, steps }: Outline, findings: Findings): void {
  const seen = new Set<string>();
  for (const { pointer, value } of triggers) {
    const text = canonicalJson(value);
    if (seen.has(text)) {
      findings.add({ code: "ERR_FUNCTION_DUPLICATE", pointer, message: "the same trigger is there already" });
    }
    seen.add(text);
  }
  for (const [key, { pointer, id, path }] of steps) {
    // A plain object already has such a property, and a look-up by the id would find it.
    if (key in {}) {
      const message = `${key} is a property of every JavaScript object; a step needs another id`;
      findings.add({ code: "ERR_FUNCTION_FORBIDDEN_KEY", pointer, place: "key", message });
    }
    if (id !== undefined && id.text !== key) {
      const message = `the step's \`id\` is ${JSON.stringify(id.text)}, but its key in \`steps\` is ${JSON.stringify(key)}`;
      findings.add({ code: "ERR_FUNCTION_STEP_ID", pointer: id.pointer, message }, () => key);
    }
    if (path === undefined) continue;
    if (isOciReference(path.text)) {
      const reference = parseOciReference(path.text);
      if (!("message" in reference)) continue;
      const { message } = reference;
      const expected = "oci://registry/repository:tag or oci://registry/repository@sha256:…";
      findings.add({ code: "ERR_FUNCTION_PATH", pointer: path.pointer, message, expected });
      continue;
    }
    const parsed = parseStepPath(path.text);
    if (!parsed.ok) {
      findings.add(
        {
          code: parsed.code,
          pointer: path.pointer,
          message: parsed.message,
          expected: "file://./… below the document",
        },
        () => parsed.suggestion,
      );
    }
  }
}
