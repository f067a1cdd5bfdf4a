import {
  type CapabilityName,
  capabilityNames,
  type Destination,
  type HttpGrant,
} from "../../runtime/capabilities.ts";
import { covers } from "../../runtime/egress/destination.ts";
import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import { destinationForm, parseDestination } from "./destination.ts";
import type { Findings } from "./finding.ts";
import { type JsonObject, listOf, member, objectOf } from "./outline.ts";

/** Checks that capabilities are asked for by steps that can have them, and make sense. */
export function checkCapabilities(document: Json, findings: Findings): void {
  for (const [id, value] of Object.entries(objectOf(member(objectOf(document), "steps")))) {
    const step = objectOf(value);
    const runtime = member(objectOf(member(step, "runtime")), "type") ?? "wasm";
    const capabilities = member(step, "capabilities");
    if (capabilities === undefined) continue;
    const pointer = `/steps${pointerStep(id)}/capabilities`;
    if (typeof runtime === "string") checkNames(objectOf(capabilities), runtime, pointer, findings);
    checkGrants(objectOf(capabilities), pointer, findings);
  }
}

/** What each runtime can give or keep from its steps. Those of lambda and http run elsewhere, as their operator has them run. */
const capabilitiesOf: Readonly<Record<string, ReadonlySet<string>>> = {
  wasm: new Set(capabilityNames.filter((name) => name !== "network")),
  docker: new Set<CapabilityName>(["env", "secrets", "tmp", "emit", "network"]),
  lambda: new Set<CapabilityName>(["emit"]),
  http: new Set<CapabilityName>(["emit"]),
};

/** How programs that run elsewhere have what else they need. */
const elsewhere: Readonly<Record<string, string>> = {
  lambda: "it has what the Lambda function's own role and environment give it",
  http: "it has what its receiver has, and secrets in the `headers` of its `runtime`",
};

function checkNames(capabilities: JsonObject, runtime: string, pointer: string, findings: Findings): void {
  const own = capabilitiesOf[runtime];
  const names: readonly string[] = capabilityNames;
  for (const name of Object.keys(capabilities)) {
    // What is no capability at all is the schema's to find.
    if (own?.has(name) === true || !names.includes(name)) continue;
    const message = `a step of runtime ${JSON.stringify(runtime)} can't have the capability ${name}`;
    const known = own === undefined ? "none" : `one of: ${[...own].join(", ")}`;
    const other = elsewhere[runtime];
    const expected = other === undefined ? known : `${known}; ${other}`;
    const place = { pointer: pointer + pointerStep(name), place: "key" as const };
    findings.add({ code: "ERR_FUNCTION_CAPABILITY", ...place, message, expected });
  }
}

function checkGrants(capabilities: JsonObject, pointer: string, findings: Findings): void {
  const grants = listOf(capabilities, "http").map((grant, index) =>
    checkGrant(grant, `${pointer}/http/${index}`, findings),
  );
  const known = grants.filter((grant) => grant !== undefined);
  const secrets = member(capabilities, "secrets");
  const env = objectOf(member(capabilities, "env"));
  const names = Array.isArray(secrets)
    ? listOf(capabilities, "secrets").map((name, index) => [name, `/${index}`] as const)
    : Object.keys(objectOf(secrets)).map((name) => [name, pointerStep(name)] as const);
  for (const [name, place] of names) {
    if (typeof name !== "string" || !Object.hasOwn(env, name)) continue;
    refuse(findings, `${pointer}/secrets${place}`, `the variable ${name} is in \`env\` already`);
  }
  for (const [name, secret] of Object.entries(objectOf(secrets))) {
    for (const [index, host] of listOf(objectOf(secret), "hosts").entries()) {
      const place = `${pointer}/secrets${pointerStep(name)}/hosts/${index}`;
      if (typeof host === "string") checkSecretHost(host, place, known, grants.length, findings);
    }
  }
}

/** The grant, as far as its destination can be told. */
function checkGrant(grant: Json, pointer: string, findings: Findings): Destination | undefined {
  const isText = typeof grant === "string";
  const given = isText ? {} : objectOf(grant);
  const host = isText ? grant : member(given, "host");
  if (typeof host !== "string") return undefined;
  const parsed = parseDestination(host);
  const place = isText ? pointer : `${pointer}/host`;
  if (!parsed.ok) {
    refuse(findings, place, parsed.message, destinationForm, parsed.suggestion);
    return undefined;
  }
  const { destination } = parsed;
  if (member(given, "ports") !== undefined && parsed.port) {
    refuse(findings, `${pointer}/ports`, "`host` names the port already", "the port in one of the two");
  }
  if (member(given, "private") === true && destination.host.startsWith("*")) {
    const message = `${JSON.stringify(host)} stands for many hosts; \`private\` is for one that is named`;
    refuse(findings, `${pointer}/private`, message, "`host` without `*`");
  }
  const ports = listOf(given, "ports").filter((port) => typeof port === "number");
  return ports.length === 0 ? destination : { ...destination, ports };
}

function checkSecretHost(
  host: string,
  pointer: string,
  grants: readonly Destination[],
  written: number,
  findings: Findings,
): void {
  const parsed = parseDestination(host);
  if (!parsed.ok) return refuse(findings, pointer, parsed.message, destinationForm, parsed.suggestion);
  const { destination } = parsed;
  if (destination.host === "*") {
    const message = "a secret goes to hosts that are named, or to those below a name";
    return refuse(findings, pointer, message, "api.example.com or *.example.com");
  }
  // Where a grant is wrong, what it was meant to cover can't be told.
  if (grants.length < written || grants.some((grant) => overlaps(grant, destination))) return;
  const message = `no request can go to ${host}: \`http\` has no such host${portHint(grants, destination)}`;
  refuse(findings, pointer, message, "a host that `http` grants");
}

/** Whether some request to the one is a request to the other. */
function overlaps(left: Destination, right: Destination): boolean {
  const ports = left.ports.filter((port) => right.ports.includes(port));
  if (ports.length === 0) return false;
  return covers({ ...left, ports }, { ...right, ports }) || covers({ ...right, ports }, { ...left, ports });
}

function portHint(
  grants: readonly Pick<HttpGrant, "host" | "scheme" | "ports">[],
  asked: Destination,
): string {
  const close = grants.find(({ host }) => host === asked.host);
  if (close === undefined) return "";
  const written = close.ports.map((port) => `${close.scheme}://${close.host}:${port}`);
  return `, but ${written.join(" and ")}`;
}

function refuse(
  findings: Findings,
  pointer: string,
  message: string,
  expected?: string,
  suggestion?: string,
): void {
  findings.add(
    { code: "ERR_FUNCTION_CAPABILITY", pointer, message, ...(expected === undefined ? {} : { expected }) },
    () => suggestion,
  );
}
