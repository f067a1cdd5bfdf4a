/**
 * What is changed in the JavaScript that the transpiler generates. It is written for guests that are trusted: some of
 * what it does on a guest's word takes memory of the host without a bound, or time at each instantiation.
 */
export function hardenGlue(script: string): string {
  const body = script.replace(/^export (?=function|const)/gm, "");
  return `"use strict";\n${body}\nreturn instantiate;\n`;
}
