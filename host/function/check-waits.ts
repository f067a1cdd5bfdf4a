import type { Findings } from "./finding.ts";
import type { EdgeOutline, Outline } from "./outline.ts";

/** Checks that a step does not need a wait's event and the end of the same wait's time, which never come both. */
export function checkWaits({ steps }: Outline, findings: Findings): void {
  for (const [id, { edges, join }] of steps) {
    if (join === "any") continue;
    const first = new Map<string, EdgeOutline>();
    for (const edge of edges) {
      if (edge.async === undefined) continue;
      const identity = `${edge.step?.text} ${edge.async.identity}`;
      const twin = first.get(identity);
      first.set(identity, twin ?? edge);
      if (twin === undefined || twin.async?.onTimeout === edge.async.onTimeout) continue;
      const message = `${id} would never run: it needs the event of a wait, and that it did not come`;
      findings.add(
        { code: "ERR_FUNCTION_STEP_UNREACHABLE", pointer: edge.async.pointer, place: "key", message },
        () => `give ${id} "join": "any", or lead the two edges to different steps`,
      );
    }
  }
}
