import { triggerStep } from "./document.ts";
import type { Findings } from "./finding.ts";
import type { Outline } from "./outline.ts";

/** Checks edges that lead from the failure of a step: where they begin, and what they go together with. */
export function checkFailureEdges({ steps }: Outline, findings: Findings): void {
  for (const [id, { edges, join }] of steps) {
    const fails = edges.filter(({ on }) => on?.text === "failure");
    for (const { step, on, async, pointer } of fails) {
      const place = on?.pointer ?? pointer;
      if (step?.text === triggerStep) {
        const message = `${triggerStep} is the beginning of the run, which does not fail`;
        findings.add({ code: "ERR_FUNCTION_FAILURE_EDGE", pointer: place, message });
      }
      if (async !== undefined) {
        const message = "an edge from a failure can't wait for an event; have a step do so behind it";
        findings.add({ code: "ERR_FUNCTION_FAILURE_EDGE", pointer: async.pointer, place: "key", message });
      }
      const both = edges.some((one) => one.on?.text !== "failure" && one.step?.text === step?.text);
      if (join === "any" || !both || step === undefined) continue;
      const message = `${id} would never run: it needs that ${step.text} completes, and that it fails`;
      findings.add(
        { code: "ERR_FUNCTION_STEP_UNREACHABLE", pointer: place, message },
        () => `give ${id} "join": "any", or lead the two edges to different steps`,
      );
    }
  }
}
