import { nearest } from "../nearest.ts";
import type { Findings } from "./finding.ts";
import { apartOf, type Outline, type Text } from "./outline.ts";

/** Checks the steps that undo others: each has one task, and no edges. */
export function checkCompensations(outline: Outline, findings: Findings): void {
  const { steps, onFailure } = outline;
  const apart = apartOf(outline);
  const owners = new Map<string, string>();
  const report = (place: Pick<Text, "pointer">, message: string): void => {
    findings.add({ code: "ERR_FUNCTION_COMPENSATE", pointer: place.pointer, message });
  };
  for (const [id, { compensate, forEach }] of steps) {
    if (compensate === undefined) continue;
    const by = compensate.text;
    const other = owners.get(by);
    if (!steps.has(by)) {
      const message = `there is no step ${JSON.stringify(by)}`;
      const { pointer } = compensate;
      findings.add({ code: "ERR_FUNCTION_STEP_UNKNOWN", pointer, message }, () =>
        nearest(
          by,
          [...steps.keys()].filter((step) => step !== id),
        ),
      );
    } else if (by === id) report(compensate, `${id} can't undo itself`);
    else if (apart.has(id)) report(compensate, `${id} is no step of the run's way, and nothing undoes it`);
    else if (by === onFailure?.text) report(compensate, `${by} is the \`onFailure\` step`);
    else if (other !== undefined)
      report(compensate, `${by} undoes ${other} already; write another step of the same path`);
    if (forEach !== undefined && steps.get(by)?.invoking === true) {
      report(compensate, `${by} invokes a function, and what undoes each of several items has a program`);
    }
    owners.set(by, id);
  }
  for (const [id, { edges, forEach }] of steps) {
    for (const edge of edges) {
      if (owners.has(id))
        report(edge, `no edge may lead to ${id}: it undoes ${owners.get(id)}, when the run has failed`);
      const from = edge.step;
      if (from === undefined || !owners.has(from.text)) continue;
      report(
        from,
        `no edge may come from ${from.text}: it undoes ${owners.get(from.text)}, when the run has failed`,
      );
    }
    if (!owners.has(id) || forEach === undefined) continue;
    const message = `${id} undoes ${owners.get(id)}; it runs once an item where that does, without saying so`;
    findings.add({ code: "ERR_FUNCTION_COMPENSATE", pointer: forEach.pointer, place: "key", message });
  }
}
