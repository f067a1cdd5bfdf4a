import { distance } from "fastest-levenshtein";

/** Beyond this nobody misspells a name, and the distance costs the product of the lengths. */
const longestName = 100;

/** The candidate that a misspelt name was most likely meant to be; undefined when none is close. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longestName) return undefined;
  let best: string | undefined;
  // One slip in three letters; of one or two letters only the case may differ.
  let bestDistance = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates) {
    if (candidate.length > longestName) continue;
    const found = slips(name.toLowerCase(), candidate.toLowerCase());
    if (found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** Letters in another order are one slip: it is the commonest. */
function slips(left: string, right: string): number {
  const found = distance(left, right);
  return found === 2 && left.length === right.length && sorted(left) === sorted(right) ? 1 : found;
}

function sorted(text: string): string {
  return Array.from(text).toSorted().join("");
}
