/** One step of a JSON pointer (RFC 6901), with its leading slash. */
export function pointerStep(segment: string | number): string {
  return `/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The JSON pointer (RFC 6901) of a path of keys and indices; "" is the whole document. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map(pointerStep).join("");
}
