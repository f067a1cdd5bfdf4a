import { readFileSync } from "node:fs";

/** The version of the package, from the nearest package.json: the sources stand one folder less deep than what is built. */
export function packageVersion(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version?: string };
      if (found.version !== undefined) return found.version;
    } catch {
      // The other place.
    }
  }
  return "0.0.0";
}
