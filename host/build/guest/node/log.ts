// What `import … from "millrace:step/log"` gives.
import native from "millrace:step/log@0.1.0";
import type { Level } from "../console.ts";
import { phase, touchOutside } from "../phase.ts";

export function log(level: Level, message: string): void {
  touchOutside("the log");
  if (!phase.building) native.log(level, String(message).toWellFormed());
}

// oxlint-disable-next-line import/no-default-export -- a world's interface is a default export
export default { log };
