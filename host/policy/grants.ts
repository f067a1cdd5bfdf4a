import type { Capabilities, CapabilityName, Destination, HttpGrant } from "../../runtime/capabilities.ts";
import type { StepProgram } from "../../runtime/driver.ts";
import { grantCovers } from "../../runtime/egress/destination.ts";
import { pointerStep } from "../json-pointer.ts";
import { matchesPattern } from "./pattern.ts";

/** The functions that may have a capability, by patterns of their ids. */
type Functions = readonly string[];

/** What an operator grants; a capability, host or secret that is not named, no function has. */
export type PolicyGrants = Readonly<
  Partial<Record<Exclude<CapabilityName, "http" | "secrets" | "emit">, Functions>>
> & {
  readonly http?: readonly HttpRule[];
  /** By patterns of the secrets' names. */
  readonly secrets?: Readonly<Record<string, Functions>>;
  /** By patterns of the events' names. */
  readonly emit?: Readonly<Record<string, Functions>>;
};

/** The functions of the first may send the requests of the second. */
export interface HttpRule {
  readonly functions: Functions;
  readonly hosts: readonly HttpGrant[];
}

/** Something that was asked for and not granted: what, and the place in the policy that would. */
export interface Refusal {
  readonly asked: string;
  readonly allowed: string;
  readonly pointer: string;
}

/** All that these capabilities have and the operator does not grant to this function. */
export function refusals(
  grants: PolicyGrants,
  functionId: string,
  capabilities: Capabilities,
): readonly Refusal[] {
  return (Object.keys(capabilities) as CapabilityName[]).flatMap((name): readonly Refusal[] => {
    if (name === "http") return httpRefusals(grants.http ?? [], functionId, capabilities.http ?? []);
    if (name === "secrets") {
      const names = Object.keys(capabilities.secrets ?? {});
      return namedRefusals(grants.secrets ?? {}, functionId, names, ["the secret", "secrets"]);
    }
    if (name === "emit") {
      // A step's own pattern is within the policy's where that matches it as a text.
      return namedRefusals(grants.emit ?? {}, functionId, capabilities.emit ?? [], ["the event", "emit"]);
    }
    const functions = grants[name] ?? [];
    if (includes(functions, functionId)) return [];
    return [
      { asked: `the capability ${name}`, allowed: listed(functions), pointer: `/capabilities/${name}` },
    ];
  });
}

/** A container for a function that may have none. */
export function dockerRefusals(
  functions: Functions,
  functionId: string,
  { type }: StepProgram["runtime"],
): readonly Refusal[] {
  if (type !== "docker" || includes(functions, functionId)) return [];
  return [{ asked: "a container", allowed: listed(functions), pointer: "/capabilities/docker" }];
}

function httpRefusals(
  rules: readonly HttpRule[],
  functionId: string,
  asked: readonly HttpGrant[],
): readonly Refusal[] {
  const hosts = rules
    .filter(({ functions }) => includes(functions, functionId))
    .flatMap(({ hosts }) => hosts);
  const to = hosts.length === 0 ? "no host" : hosts.map(grantText).join(", ");
  return asked
    .filter((grant) => !hosts.some((host) => grantCovers(host, grant)))
    .map((grant) => ({
      asked: `the capability http for ${grantText(grant)}`,
      allowed: `this function for ${to}`,
      pointer: "/capabilities/http",
    }));
}

function namedRefusals(
  grants: Readonly<Record<string, Functions>>,
  functionId: string,
  names: readonly string[],
  [what, key]: readonly [string, string],
): readonly Refusal[] {
  return names.flatMap((name) => {
    const matching = Object.entries(grants).filter(([pattern]) => matchesPattern(pattern, name));
    if (matching.some(([, functions]) => includes(functions, functionId))) return [];
    const [first] = matching;
    const pointer = `/capabilities/${key}${first === undefined ? "" : pointerStep(first[0])}`;
    const allowed = listed(matching.flatMap(([, functions]) => functions));
    return [{ asked: `${what} ${name}`, allowed, pointer }];
  });
}

function includes(functions: Functions, functionId: string): boolean {
  return functions.some((pattern) => matchesPattern(pattern, functionId));
}

function listed(functions: Functions): string {
  return functions.length === 0 ? "no function" : functions.join(", ");
}

/** A grant as people write it. */
function grantText(grant: HttpGrant): string {
  const { methods, private: isPrivate } = grant;
  const places = destinationTexts(grant).join(" and ");
  return `${methods === undefined ? "" : `${methods.join(" ")} `}${places}${isPrivate ? " (private)" : ""}`;
}

function destinationTexts({ scheme, host, ports }: Destination): readonly string[] {
  const standard = scheme === "https" ? 443 : 80;
  return ports.map((port) => `${scheme}://${host}${port === standard ? "" : `:${port}`}`);
}
