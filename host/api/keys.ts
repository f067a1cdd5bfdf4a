import { hash, timingSafeEqual } from "node:crypto";

/** A set of secret keys. */
export interface KeyRing {
  /** Takes the same time whatever the keys are, and whichever of them is the one. */
  has(candidate: string): boolean;
}

/** Digests are compared, not the keys: these may differ in length. */
export function createKeyRing(keys: readonly string[]): KeyRing {
  const digests = keys.map(digest);
  return {
    has(candidate) {
      const wanted = digest(candidate);
      let found = false;
      for (const known of digests) found = timingSafeEqual(known, wanted) || found;
      return found;
    },
  };
}

function digest(key: string): Buffer {
  return hash("sha256", key, "buffer");
}
