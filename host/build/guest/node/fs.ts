// What `import … from "node:fs"` gives: stdin and stdout, as programs read and write them. Nothing else is there.
import { decodeUtf8, encodeUtf8 } from "../text.ts";

const { readStdin = () => "", write } = __millrace;

/** Node gives a Buffer, whose toString is text. */
class StdinBytes extends Uint8Array {
  override toString(): string {
    return decodeUtf8(this);
  }
  toJSON(): unknown {
    return { type: "Buffer", data: Array.from(this) };
  }
}

const noFiles = (what: string): never => {
  throw new Error(
    `${what}: a step has no file system but stdin (0), stdout (1) and stderr (2), unless it is granted tmp.`,
  );
};

export function readFileSync(
  file: unknown,
  options?: string | { encoding?: string } | null,
): string | Uint8Array {
  if (file !== 0 && file !== "/dev/stdin") return noFiles(`readFileSync(${JSON.stringify(String(file))})`);
  const text = readStdin();
  const encoding = typeof options === "object" ? options?.encoding : options;
  return typeof encoding === "string" ? text : new StdinBytes(encodeUtf8(text));
}

export function writeSync(file: unknown, data: unknown): number {
  if (file !== 1 && file !== 2) return noFiles(`writeSync(${String(file)})`);
  const text = data instanceof Uint8Array ? decodeUtf8(data) : String(data);
  write?.(file === 1 ? "stdout" : "stderr", text);
  return encodeUtf8(text).length;
}

export function writeFileSync(file: unknown, data: unknown): void {
  const descriptor = file === "/dev/stdout" ? 1 : file === "/dev/stderr" ? 2 : file;
  if (descriptor !== 1 && descriptor !== 2) noFiles(`writeFileSync(${JSON.stringify(String(file))})`);
  writeSync(descriptor, data);
}

export function existsSync(): boolean {
  return false;
}

const known: Readonly<Record<string, unknown>> = { readFileSync, writeSync, writeFileSync, existsSync };

// oxlint-disable-next-line import/no-default-export -- as Node's module has one
export default new Proxy(known, {
  get: (target, name) =>
    typeof name === "symbol" || name in target ? target[name as string] : () => noFiles(`fs.${name}`),
});
