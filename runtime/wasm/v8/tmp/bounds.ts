import { Breach } from "../stdio.ts";

/** Bounds that no document changes; the engines have the same ones. */
export const bounds = {
  /** Names, and nodes that are held without one. */
  names: 10_000,
  /** Descriptors that are open at once. */
  descriptors: 1_024,
  /** Of a path and of a link's target, in bytes. */
  pathBytes: 4_096,
  nameBytes: 255,
  /** Symbolic links that one path may lead through. */
  links: 40,
} as const;

/** Counts what the tree holds; going over ends the attempt. */
export interface Account {
  /** Counts bytes of contents, links' targets and names; less than none gives back. */
  bytes(change: bigint): void;
  /** Counts names, and nodes that are held without one. */
  names(change: 1 | -1): void;
}

export function createAccount(limitBytes: number, end: (breach: Breach) => never): Account {
  let bytes = 0n;
  let names = 0;
  return {
    bytes(change) {
      bytes += change;
      if (change <= 0n || bytes <= BigInt(limitBytes)) return;
      const message = `The attempt put ${bytes} bytes into /tmp, over the limit of ${limitBytes}.`;
      end(new Breach("ERR_STEP_TMP", message));
    },
    names(change) {
      names += change;
      if (names <= bounds.names) return;
      const message = `The attempt has ${names} files and folders in /tmp, over the limit of ${bounds.names}.`;
      end(new Breach("ERR_STEP_TMP", message));
    },
  };
}
