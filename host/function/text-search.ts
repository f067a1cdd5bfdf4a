/** Needles up to here are left to the engine's search, whose worst case is the product of both lengths. */
const shortNeedle = 64;

/** Whether `text` contains `needle`, in time that grows with the sum of their lengths (Knuth, Morris and Pratt). */
export function containsText(text: string, needle: string): boolean {
  if (needle.length <= shortNeedle) return text.includes(needle);
  const borders = new Uint32Array(needle.length);
  let matched = 0;
  for (let at = 1; at < needle.length; at += 1) {
    const character = needle.charCodeAt(at);
    while (matched > 0 && needle.charCodeAt(matched) !== character) matched = borders[matched - 1] as number;
    if (needle.charCodeAt(matched) === character) matched += 1;
    borders[at] = matched;
  }
  matched = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    while (matched > 0 && needle.charCodeAt(matched) !== character) matched = borders[matched - 1] as number;
    if (needle.charCodeAt(matched) === character) matched += 1;
    if (matched === needle.length) return true;
  }
  return false;
}
