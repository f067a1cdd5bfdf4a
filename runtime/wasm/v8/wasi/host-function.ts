import type { StepWorld } from "./world.ts";

/** A function of the host that components import. Values are as codecs have them; it keeps nothing between calls. */
export interface HostFunction {
  /** Its type, spelt out as codecs spell it. */
  readonly signature: string;
  readonly call: (world: StepWorld, args: never) => unknown;
}

/** Functions of interfaces, by the interface's name without its version and the function's name. */
export type HostInterfaces = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;

/** A function of the host; `args` are what its signature says. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names the arguments at the call
export function hostFunction<Args extends readonly unknown[]>(
  signature: string,
  call: (world: StepWorld, args: Args) => unknown,
): HostFunction {
  return { signature, call };
}

/** A result's two cases, and an option that is empty. */
export const ok = (value?: unknown): readonly [0, unknown] => [0, value];
export const err = (value?: unknown): readonly [1, unknown] => [1, value];
export const none = [0, undefined] as const;
