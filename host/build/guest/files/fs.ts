// What `import … from "node:fs"` gives a step that has /tmp; a program reads and writes stdin and stdout by it too.
import { decode, encode, FileBytes } from "./bytes.ts";
import { promises } from "./promises.ts";
import * as sync from "./sync.ts";

export {
  accessSync,
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
} from "./sync.ts";
export { promises } from "./promises.ts";
export { Dirent, Stats } from "./stats.ts";

const { readStdin, write } = __millrace;

const outputs: Readonly<Record<string, "stdout" | "stderr">> = {
  1: "stdout",
  2: "stderr",
  "/dev/stdout": "stdout",
  "/dev/stderr": "stderr",
};

function outputOf(file: unknown): "stdout" | "stderr" | undefined {
  return write !== undefined && (typeof file === "number" || typeof file === "string")
    ? outputs[file]
    : undefined;
}

export function readFileSync(
  file: unknown,
  options?: Parameters<typeof sync.readFileSync>[1],
): string | Uint8Array {
  if (readStdin === undefined || (file !== 0 && file !== "/dev/stdin"))
    return sync.readFileSync(file, options);
  const bytes = new FileBytes(new Uint8Array(encode(readStdin())).buffer);
  const encoding = typeof options === "object" ? options?.["encoding"] : options;
  return typeof encoding === "string" ? decode(bytes, encoding) : bytes;
}

export function writeSync(file: unknown, data: unknown, ...rest: unknown[]): number {
  const output = outputOf(file);
  if (output === undefined) return sync.writeSync(file as number, data, ...rest);
  const text = typeof data === "string" ? data : decode(encode(data), "utf8");
  write?.(output, text);
  return encode(text).length;
}

export function writeFileSync(
  file: unknown,
  data: unknown,
  options?: Parameters<typeof sync.writeFileSync>[2],
): void {
  if (outputOf(file) === undefined) sync.writeFileSync(file, data, options);
  else writeSync(file, data);
}

export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1 };

type Callback = (error: unknown, value?: unknown) => void;

/** The same with a callback behind the arguments. */
function withCallback(call: (...args: unknown[]) => unknown): (...args: unknown[]) => void {
  return (...args) => {
    const callback = args.pop() as Callback;
    if (typeof callback !== "function")
      throw Object.assign(new TypeError('The "cb" argument must be of type function.'), {
        code: "ERR_INVALID_ARG_TYPE",
      });
    queueMicrotask(() => {
      let value: unknown;
      try {
        value = call(...args);
      } catch (error) {
        callback(error);
        return;
      }
      callback(null, value);
    });
  };
}

const withSync = { ...sync, readFileSync, writeFileSync, writeSync } as unknown as Readonly<
  Record<string, (...args: unknown[]) => unknown>
>;
const callbacks = Object.fromEntries(
  Object.entries(withSync)
    .filter(([name]) => name !== "existsSync")
    .map(([name, call]) => [name.replace(/Sync$/, ""), withCallback(call)]),
);

export const {
  access,
  appendFile,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} = callbacks;

const missing = (name: string) => (): never => {
  throw new Error(`fs.${name} is not there in a step: of node:fs it has files and folders in /tmp.`);
};

const module: Record<string, unknown> = { ...withSync, ...callbacks, promises, constants };

// oxlint-disable-next-line import/no-default-export -- as Node's module has one
export default new Proxy(module, {
  get: (target, name) =>
    typeof name === "symbol" || name in target ? target[name as string] : missing(name),
});
