/**
 * What a step is granted beyond its input, output and log, in its normal form: what a document left out is filled in.
 * Nothing by default.
 */
export interface Capabilities {
  /** The variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Fixes its clocks and randomness: the same component, input and seed give the same bytes. */
  readonly seed?: string;
  /** Where it may send HTTP requests. */
  readonly http?: readonly HttpGrant[];
  /** By name, which is also that of the variable that has it. */
  readonly secrets?: Readonly<Record<string, SecretGrant>>;
  /** Names and values that it reads as its configuration. */
  readonly config?: Readonly<Record<string, string>>;
  /** An empty folder /tmp, gone after the attempt. */
  readonly tmp?: true;
  /** The key-value store of its function. */
  readonly kv?: true;
  /** The names of events that it may emit, or patterns of them, in which * stands for any characters. */
  readonly emit?: readonly string[];
  /** Runtime docker: the engine's network, whatever is in reach there; or only while the image is built. */
  readonly network?: "run" | "build";
}

/** The name of a capability. */
export type CapabilityName = keyof Capabilities;

/** All of them. */
export const capabilityNames: readonly CapabilityName[] = [
  "env",
  "seed",
  "http",
  "secrets",
  "config",
  "tmp",
  "kv",
  "emit",
  "network",
];

/** Where requests may go: a scheme, a host and its ports. */
export interface Destination {
  readonly scheme: "https" | "http";
  /**
   * In lower case and ASCII, as in a URL: `api.example.com`, `203.0.113.7`, `[2001:db8::1]`; `*.example.com` for every
   * name below that one; `*` for every host.
   */
  readonly host: string;
  readonly ports: readonly number[];
}

/** Requests that a step may send. */
export interface HttpGrant extends Destination {
  /** In upper case; any where there are none. */
  readonly methods?: readonly string[];
  /** Also at private, loopback and link-local addresses; the host is a name or an address then, and no pattern. */
  readonly private: boolean;
}

/** How a step has a secret. */
export interface SecretGrant {
  /** The step has a placeholder, which becomes the secret in the headers of requests there; else it has the secret. */
  readonly hosts?: readonly Destination[];
}
