import * as sync from "./sync.ts";

type Sync = (...args: never[]) => unknown;

/** The same as a promise: the guest has one thread, and what it asks the host for is done when it hears of it. */
function asynchronous<T extends Sync>(call: T): (...args: Parameters<T>) => Promise<ReturnType<T>> {
  return (...args) => Promise.resolve().then(() => call(...args) as ReturnType<T>);
}

export const access = asynchronous(sync.accessSync);
export const appendFile = asynchronous(sync.appendFileSync);
export const copyFile = asynchronous(sync.copyFileSync);
export const link = asynchronous(sync.linkSync);
export const lstat = asynchronous(sync.lstatSync);
export const mkdir = asynchronous(sync.mkdirSync);
export const mkdtemp = asynchronous(sync.mkdtempSync);
export const readdir = asynchronous(sync.readdirSync);
export const readFile = asynchronous(sync.readFileSync);
export const readlink = asynchronous(sync.readlinkSync);
export const rename = asynchronous(sync.renameSync);
export const rm = asynchronous(sync.rmSync);
export const rmdir = asynchronous(sync.rmdirSync);
export const stat = asynchronous(sync.statSync);
export const symlink = asynchronous(sync.symlinkSync);
export const truncate = asynchronous(sync.truncateSync);
export const unlink = asynchronous(sync.unlinkSync);
export const utimes = asynchronous(sync.utimesSync);
export const writeFile = asynchronous(sync.writeFileSync);

export const promises = {
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
};

// oxlint-disable-next-line import/no-default-export -- as Node's module has one
export default { ...promises };
