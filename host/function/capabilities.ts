import type { Capabilities, Destination, HttpGrant, SecretGrant } from "../../runtime/capabilities.ts";
import { parseDestination } from "./destination.ts";

/** What a step asks for, as its document has it. */
export interface CapabilitiesDocument {
  readonly env?: Capabilities["env"];
  readonly seed?: string;
  readonly http?: readonly HttpGrantDocument[];
  /** Names; or by name how the step is to have each. */
  readonly secrets?: readonly string[] | Readonly<Record<string, SecretDocument>>;
  readonly config?: Capabilities["config"];
  readonly tmp?: boolean;
  readonly kv?: boolean;
  /** Names of events, or patterns of them. */
  readonly emit?: readonly string[];
  /** true: also while the step runs. */
  readonly network?: boolean | "build";
}

/** Requests that a step may send: a host as `[https://|http://]host[:port]`, alone or with what narrows or widens it. */
export type HttpGrantDocument =
  | string
  | {
      readonly host: string;
      readonly methods?: readonly string[];
      readonly ports?: readonly number[];
      readonly private?: boolean;
    };

interface SecretDocument {
  /** Each as `[https://|http://]host[:port]`. */
  readonly hosts?: readonly string[];
}

/** The normal form of what was found right; throws a RangeError for a host that is none. */
export function normalCapabilities(document: CapabilitiesDocument): Capabilities {
  const { env, seed, http, secrets, config, tmp, kv, emit, network } = document;
  return {
    ...(env && { env }),
    ...(seed !== undefined && { seed }),
    ...(http && { http: http.map(httpGrant) }),
    ...(secrets && { secrets: secretGrants(secrets) }),
    ...(config && { config }),
    ...(tmp === true && { tmp }),
    ...(kv === true && { kv }),
    ...(emit && { emit }),
    ...(network === true && { network: "run" as const }),
    ...(network === "build" && { network }),
  };
}

/** A grant with its defaults. */
export function httpGrant(document: HttpGrantDocument): HttpGrant {
  if (typeof document === "string") return { ...destination(document), private: false };
  const { host, methods, ports, private: isPrivate = false } = document;
  return {
    ...destination(host),
    ...(ports && { ports }),
    ...(methods && { methods }),
    private: isPrivate,
  };
}

function secretGrants(
  secrets: NonNullable<CapabilitiesDocument["secrets"]>,
): Readonly<Record<string, SecretGrant>> {
  const entries = isList(secrets)
    ? secrets.map((name) => [name, {}] as const)
    : Object.entries(secrets).map(
        ([name, { hosts }]) => [name, hosts === undefined ? {} : { hosts: hosts.map(destination) }] as const,
      );
  return Object.fromEntries(entries);
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}

function destination(text: string): Destination {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new RangeError(parsed.message);
  return parsed.destination;
}
