import { distance } from "fastest-levenshtein";

/** The candidate that a misspelt name was most likely meant to be; undefined when none is close. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  // Beyond this nobody misspells a name, and the distance costs the product of the lengths.
  if (name.length > 100) return undefined;
  let best: string | undefined;
  // One slip in three letters; of one or two letters only the case may differ.
  let bestDistance = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates) {
    if (candidate.length > 100) continue;
    const found = distance(name.toLowerCase(), candidate.toLowerCase());
    if (found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}
