import { printable } from "../printable.ts";
import type { Check } from "./check.ts";

/** Waits of the project's functions for events that can't be found by a value. */
export const waitsCheck: Check = {
  name: "waits",
  async run() {
    const { findProject, loadProject } = await import("../../build/project.ts");
    const { shown } = await import("../project.ts");
    const { scanningWaits } = await import("../../function/scanning-waits.ts");
    const { functions } = await loadProject(shown(await findProject(".")));
    const scanning = functions.flatMap(({ document }) => scanningWaits(document));
    if (scanning.length === 0)
      return { status: "ok", detail: "none that tries each event against every run" };
    return {
      status: "warning",
      detail: scanning.map(printable).join("; "),
      next: "Give `match`, or the `if` of `cancel`, an equality between a part of `async` and the run, as in async.data.id == event.data.id.",
    };
  },
};
