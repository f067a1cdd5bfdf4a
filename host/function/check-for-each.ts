import type { Findings } from "./finding.ts";
import type { Outline } from "./outline.ts";

/** Checks that what steps say of their items goes together. */
export function checkForEach({ steps, onFailure }: Outline, findings: Findings): void {
  for (const [id, { forEach }] of steps) {
    if (forEach === undefined) continue;
    const { pointer, onError, tolerate } = forEach;
    if (id === onFailure?.text) {
      const message = `${id} is the \`onFailure\` step, which runs once`;
      findings.add({ code: "ERR_FUNCTION_FOR_EACH", pointer, place: "key", message });
    }
    if (tolerate !== undefined && onError !== "continue") {
      const message = 'it counts with `"onError": "continue"` only: else the first failure is one too many';
      findings.add({ code: "ERR_FUNCTION_FOR_EACH", pointer: `${pointer}/tolerate`, place: "key", message });
    }
  }
}
