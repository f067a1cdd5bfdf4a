import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import type { Findings } from "./finding.ts";
import { type JsonObject, member, objectOf } from "./outline.ts";

/** Checks that the options of steps' runtimes go together; what they may be is the schema's to say. */
export function checkRuntimes(document: Json, findings: Findings): void {
  for (const [id, value] of Object.entries(objectOf(member(objectOf(document), "steps")))) {
    const step = objectOf(value);
    const runtime = objectOf(member(step, "runtime"));
    if (member(runtime, "type") !== "docker") continue;
    checkDocker(step, runtime, `/steps${pointerStep(id)}`, findings);
  }
}

/** An image comes from a folder or from elsewhere. */
function checkDocker(step: JsonObject, runtime: JsonObject, pointer: string, findings: Findings): void {
  const code = "ERR_FUNCTION_RUNTIME";
  const hasPath = member(step, "path") !== undefined;
  const hasImage = member(runtime, "image") !== undefined;
  if (hasPath === hasImage) {
    const message = hasPath
      ? "the step has both a `path` to build an image of and an `image`"
      : "the step has neither a `path` to a folder with a Dockerfile nor an `image`";
    findings.add({ code, pointer: `${pointer}/runtime`, message, expected: "one of the two" });
  }
  if (!hasImage && member(runtime, "pull") !== undefined) {
    const message = "`pull` is about an `image`, and the step has none";
    findings.add({ code, pointer: `${pointer}/runtime/pull`, place: "key", message });
  }
  if (!hasPath && member(runtime, "build") !== undefined) {
    const message = "`build` is about the folder at `path`, and the step has none";
    findings.add({ code, pointer: `${pointer}/runtime/build`, place: "key", message });
  }
}
