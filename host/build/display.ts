import { isOciReference } from "../function/oci-reference.ts";
import { isAbsolute, join, relative, resolve, sep } from "node:path";

/** Names files as the user named the folder: "examples/order/function.json" for the folder "examples/order". */
export type Display = (file: string) => string;

/** Display names below `root`, which the user called `given`. */
export function displayUnder(root: string, given: string): Display {
  return (file) => {
    // A reference to a registry is no path.
    if (isOciReference(file)) return file;
    const inside = relative(root, isAbsolute(file) ? file : resolve(root, file));
    return inside.startsWith(`..${sep}`) || isAbsolute(inside) ? file : join(given, inside);
  };
}
