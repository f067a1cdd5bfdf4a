import type { Breach } from "../stdio.ts";
import { createDescriptors } from "./descriptor.ts";
import type { Descriptors } from "./descriptor.ts";
import { createScratch } from "./scratch.ts";
import type { Scratch } from "./scratch.ts";

/** The folder `/tmp` of an attempt to which it is granted; it begins empty and goes with the attempt. */
export interface Tmp {
  readonly scratch: Scratch;
  readonly descriptors: Descriptors;
}

/** Where the folder is, as programs name it. */
export const tmpPath = "/tmp";

export function createTmp(limitBytes: number, now: () => bigint, end: (breach: Breach) => never): Tmp {
  const scratch = createScratch(limitBytes, now, end);
  return { scratch, descriptors: createDescriptors(scratch) };
}
