import { headerProblem, stepHeader } from "../../runtime/http/step-headers.ts";
import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import { urlDestination } from "./http-step.ts";
import type { Findings } from "./finding.ts";
import { type JsonObject, member, objectOf } from "./outline.ts";

/** Checks that the options of steps' runtimes go together; what they may be is the schema's to say. */
export function checkRuntimes(document: Json, findings: Findings): void {
  for (const [id, value] of Object.entries(objectOf(member(objectOf(document), "steps")))) {
    const step = objectOf(value);
    const runtime = objectOf(member(step, "runtime"));
    const pointer = `/steps${pointerStep(id)}`;
    const type = member(runtime, "type");
    if (type === "docker") checkDocker(step, runtime, pointer, findings);
    if (type === "lambda") checkLambda(step, runtime, pointer, findings);
    if (type === "http") checkHttp(step, runtime, pointer, findings);
    if (typeof type === "string" && type !== "wasm") checkLimits(step, type, pointer, findings);
  }
}

/** It has a URL that can be one, and nothing to build. */
function checkHttp(step: JsonObject, runtime: JsonObject, pointer: string, findings: Findings): void {
  const code = "ERR_FUNCTION_RUNTIME";
  if (member(step, "path") !== undefined) {
    const message = "the step's program is at its `url`, and no `path` belongs to it";
    findings.add({ code, pointer: `${pointer}/path`, place: "key", message });
  }
  checkHeaders(runtime, `${pointer}/runtime`, findings);
  const url = member(runtime, "url");
  const destination = typeof url === "string" ? urlDestination(url) : undefined;
  // What is no URL by its form is the schema's to find.
  if (destination === undefined || destination.ok || !/^https?:/.test(url as string)) return;
  const { message } = destination;
  findings.add({ code, pointer: `${pointer}/runtime/url`, message, expected: "https://<host>/<path>" });
}

/** Each header can be sent, and no secret goes where everybody on the way can read it. */
function checkHeaders(runtime: JsonObject, pointer: string, findings: Findings): void {
  const code = "ERR_FUNCTION_RUNTIME";
  const url = member(runtime, "url");
  const isOpen = typeof url === "string" && url.startsWith("http:") && member(runtime, "private") !== true;
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(objectOf(member(runtime, "headers")))) {
    const place = `${pointer}/headers${pointerStep(name)}`;
    const header = stepHeader(value);
    // What is no header by its form is the schema's to find.
    const problem = header === undefined ? undefined : headerProblem(name, value);
    const isTwice = seen.has(name.toLowerCase());
    seen.add(name.toLowerCase());
    if (problem !== undefined || isTwice) {
      const message = `the header ${name} ${problem ?? "is there twice"}`;
      findings.add({ code, pointer: place, place: "key", message });
    } else if (isOpen && typeof header === "object") {
      const message = `the secret ${header.secret} would go over a connection that is not encrypted`;
      findings.add({ code, pointer: place, message, expected: "a URL with https:, or `private`" });
    }
  }
}

/** What a step computes is counted where it runs in this host's threads. */
function checkLimits(step: JsonObject, type: string, pointer: string, findings: Findings): void {
  if (member(objectOf(member(step, "limits")), "cpu") === undefined) return;
  const message = `a step of runtime ${JSON.stringify(type)} can't have a limit of processor time`;
  const place = { pointer: `${pointer}/limits/cpu`, place: "key" as const };
  findings.add({ code: "ERR_FUNCTION_RUNTIME", ...place, message, expected: "runtime wasm" });
}

/** What is invoked is named, and what is published is not a version already. */
function checkLambda(step: JsonObject, runtime: JsonObject, pointer: string, findings: Findings): void {
  const code = "ERR_FUNCTION_RUNTIME";
  const hasPath = member(step, "path") !== undefined;
  if (!hasPath && member(runtime, "function") === undefined) {
    const message = "the step has neither a `function` nor a `path` to the folder of its code";
    findings.add({ code, pointer: `${pointer}/runtime`, message, expected: "one of the two" });
  }
  const qualifier = member(runtime, "qualifier");
  if (hasPath && typeof qualifier === "string" && /^(\d+|\$LATEST)$/.test(qualifier)) {
    const message = `${qualifier} is a version, and push publishes one of the folder at \`path\` and points an alias to it`;
    findings.add({ code, pointer: `${pointer}/runtime/qualifier`, message, expected: "an alias" });
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
