/**
 * Where in its life the guest is. All that runs until the end of the entry module runs when the step is built, and
 * its memory is then the start of every attempt. What a step reads from the outside at that time would be frozen.
 */
export const phase: { building: boolean; touched: string | undefined } = {
  building: true,
  touched: undefined,
};

/** Notes that the step read or wrote the world outside of it; while it is built, it is then built to evaluate later. */
export function touchOutside(what: string): void {
  if (phase.building) phase.touched ??= what;
}

/** Notes the same before the step asks the host for something; while it is built there is no host to ask. */
export function reachOutside(what: string): void {
  touchOutside(what);
  if (phase.building) throw new Error(`${what} can't be reached while the step is built`);
}
