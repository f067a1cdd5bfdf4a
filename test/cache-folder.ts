import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where what tests install is kept, outside of the clone. As the XDG specification has it, an empty or relative
 * XDG_CACHE_HOME is none.
 */
export function cacheFolder({ XDG_CACHE_HOME: root = "" }: NodeJS.ProcessEnv = process.env): string {
  return join(isAbsolute(root) ? root : join(homedir(), ".cache"), "millrace");
}
