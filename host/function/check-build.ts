import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import type { Findings } from "./finding.ts";
import { isOciReference } from "./oci-reference.ts";
import { member, objectOf } from "./outline.ts";

/** Checks that only what is built is told how: a container and a function of somebody else's are not. */
export function checkBuild(document: Json, findings: Findings): void {
  for (const [id, value] of Object.entries(objectOf(member(objectOf(document), "steps")))) {
    const step = objectOf(value);
    const runtime = objectOf(member(step, "runtime"));
    const type = member(runtime, "type") ?? "wasm";
    const pointer = `/steps${pointerStep(id)}`;
    const refuse = (place: string, message: string, expected: string): void =>
      findings.add({
        code: "ERR_FUNCTION_LANGUAGE",
        pointer: `${pointer}${place}`,
        place: "key",
        message,
        expected,
      });
    const command = member(step, "build") !== undefined;
    const path = member(step, "path");
    const isReference = typeof path === "string" && isOciReference(path);
    const language = member(runtime, "language") !== undefined;
    const interpreter = member(runtime, "interpreter") !== undefined;
    if (isReference && (type !== "wasm" || command || language || interpreter)) {
      const message = "an artifact of a registry is a component that was built already";
      refuse("/path", message, "oci:// with runtime wasm alone, without build, language and interpreter");
      continue;
    }
    if (type !== "wasm") {
      const message = `a step of runtime ${JSON.stringify(type)} is not built from a language`;
      if (command) refuse("/build", message, "build with runtime wasm alone");
      if (language) refuse("/runtime/language", message, "language with runtime wasm alone");
      if (interpreter) refuse("/runtime/interpreter", message, "interpreter with runtime wasm alone");
      continue;
    }
    if (interpreter && (command || (language && member(runtime, "language") !== "javascript"))) {
      const message = "JavaScript alone runs on an interpreter, and a step's own command chooses none";
      refuse("/runtime/interpreter", message, "interpreter with a path that leads to JavaScript");
    }
    if (!command) continue;
    if (language) {
      const message = "a step's own command needs no language";
      refuse("/runtime/language", message, "either build or runtime.language");
    }
    if (typeof path === "string" && !path.endsWith(".wasm")) {
      const message = "`build` is there, so `path` must name the .wasm file that the command writes";
      refuse("/path", message, "file://./….wasm");
    }
  }
}
