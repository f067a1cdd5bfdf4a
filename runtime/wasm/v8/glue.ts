/** One change of the generated JavaScript. */
interface Patch {
  readonly pattern: RegExp;
  readonly replacement: string;
}

/** Elements of a list that a guest may hand to the host, and resource handles that it may hold. */
const most = 10_000;

/**
 * What is changed in the JavaScript that the transpiler generates. It is written for guests that are trusted: what it
 * does on a guest's word takes memory of the host without a bound, and a thread that runs out of it in one great
 * allocation takes the process with it.
 */
const patches: readonly Patch[] = [
  // Handle tables are arrays that a guest can make grow.
  {
    pattern: /function rscTableCreateOwn\(table, rep\) \{\n/g,
    replacement: `$&if (table.length > ${2 * most} || table._createdReps.size > ${100 * most}) throw new WebAssembly.RuntimeError("too many resource handles");\n`,
  },
  // Lists that are lifted become arrays of objects.
  {
    pattern: /for \(let i = 0; i < (len\d+); i\+\+\) \{/g,
    replacement: `if ($1 > ${most}) throw new WebAssembly.RuntimeError("a list is too long for the host");\n$&`,
  },
  // Bytes that are lifted would be copied; what takes them here copies what it keeps.
  {
    pattern: /new Uint8Array\((memory\d+)\.buffer\.slice\((ptr\d+), ptr\d+ \+ (len\d+) \* 1\)\)/g,
    replacement: "new Uint8Array($1.buffer, $2, $3)",
  },
];

/** The generated module as the body of a function that returns its `instantiate`. */
export function hardenGlue(script: string): string {
  const body = script.replace(/^export (?=function|const)/gm, "");
  const patched = patches.reduce(
    (text, { pattern, replacement }) => text.replace(pattern, replacement),
    body,
  );
  return `"use strict";\n${patched}\nreturn instantiate;\n`;
}
