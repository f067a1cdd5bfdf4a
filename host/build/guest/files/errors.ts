/** What Node calls the errors of wasi:filesystem: code, number on Linux and text. */
const errors: Readonly<Record<string, readonly [code: string, errno: number, text: string]>> = {
  access: ["EACCES", -13, "permission denied"],
  "bad-descriptor": ["EBADF", -9, "bad file descriptor"],
  busy: ["EBUSY", -16, "resource busy or locked"],
  exist: ["EEXIST", -17, "file already exists"],
  "insufficient-memory": ["EMFILE", -24, "too many open files"],
  invalid: ["EINVAL", -22, "invalid argument"],
  "is-directory": ["EISDIR", -21, "illegal operation on a directory"],
  loop: ["ELOOP", -40, "too many symbolic links encountered"],
  "name-too-long": ["ENAMETOOLONG", -36, "name too long"],
  "no-entry": ["ENOENT", -2, "no such file or directory"],
  "not-directory": ["ENOTDIR", -20, "not a directory"],
  "not-empty": ["ENOTEMPTY", -39, "directory not empty"],
  "not-permitted": ["EPERM", -1, "operation not permitted"],
};

/** An error as Node's fs throws it. */
export function fsError(name: string, syscall: string, path?: string, dest?: string): Error {
  const [code, errno, text] = errors[name] ?? ["EIO", -5, `i/o error (${name})`];
  const places = [path, dest].filter((it) => it !== undefined).map((it) => `'${it}'`);
  const message = `${code}: ${text}, ${syscall}${places.length === 0 ? "" : ` ${places.join(" -> ")}`}`;
  return Object.assign(new Error(message), {
    errno,
    code,
    syscall,
    ...(path !== undefined && { path }),
    ...(dest !== undefined && { dest }),
  });
}

/** Calls the host; what it says becomes an error as Node's fs throws it. */
export function asking<T>(syscall: string, path: string | undefined, call: () => T, dest?: string): T {
  try {
    return call();
  } catch (error) {
    const { payload } = error as { payload?: unknown };
    throw typeof payload === "string" ? fsError(payload, syscall, path, dest) : error;
  }
}
