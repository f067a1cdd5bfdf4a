/** What a step is granted beyond its input, output and log. Nothing by default. */
export interface Capabilities {
  /** The variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Fixes its clocks and randomness: the same component, input and seed give the same bytes. */
  readonly seed?: string;
}

/** The name of a capability. */
export type CapabilityName = keyof Capabilities;

/** All of them. */
export const capabilityNames: readonly CapabilityName[] = ["env", "seed"];
