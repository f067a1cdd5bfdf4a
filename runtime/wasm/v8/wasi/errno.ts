import { faults, isFault } from "../tmp/fault.ts";
import type { Fault } from "../tmp/fault.ts";

/** Error numbers of WASI preview 1 that a step can meet. */
export const errno = {
  success: 0,
  badf: 8,
  ilseq: 25,
  inval: 28,
  mfile: 33,
  nametoolong: 37,
  nosys: 52,
  notdir: 54,
  notsock: 57,
  notsup: 58,
  spipe: 70,
} as const;

/** The number of what could not be done with a file; of anything else that it was done. */
export function errnoOf(result: Fault | undefined): number {
  return isFault(result) ? faults[result] : errno.success;
}
