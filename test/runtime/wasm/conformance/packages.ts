/** A package of Go's standard library, whose tests are run as a step. */
export interface SuitePackage {
  readonly name: string;
  /** How many of them pass, of those of the version that `tableOf` names. */
  readonly passes: number;
  /** What of WASI they use, most of all. */
  readonly uses: string;
  /** With clocks that only the tests themselves move: a busy machine can't disturb them. */
  readonly seeded?: true;
  /** Files of Go's tree that its tests look for beside their own. */
  readonly besides?: readonly string[];
  /** Tests that can't pass in a step, and why. */
  readonly fails?: Readonly<Record<string, string>>;
}

/** The version of Go whose tests are counted; of another one it is only known which can't pass. */
export const tableOf = "go1.26";

/** The part of the suite that applies to what a step may have: files, folders, times, clocks, randomness, arguments, stdio. */
export const packages: readonly SuitePackage[] = [
  {
    name: "os",
    passes: 148,
    uses: "files, folders, links, times, environment",
    besides: ["src/os/exec/exec.go"],
    fails: {
      TestDevNullFile: "there is no /dev",
      TestOpenFileDevNull: "there is no /dev",
      TestFileChdir: "there is no / to change to",
    },
  },
  { name: "io/fs", passes: 19, uses: "walking folders" },
  { name: "io/ioutil", passes: 9, uses: "temporary files and folders", besides: ["src/io/io_test.go"] },
  {
    name: "path/filepath",
    passes: 30,
    uses: "links, globs, walking",
    besides: ["src/unicode/utf16/utf16.go", "src/unicode/utf8/utf8.go"],
  },
  { name: "testing/fstest", passes: 7, uses: "a folder as a file system" },
  { name: "syscall", passes: 4, uses: "descriptors, errors" },
  { name: "internal/poll", passes: 9, uses: "descriptors, offsets" },
  { name: "archive/zip", passes: 46, uses: "reading at offsets" },
  { name: "archive/tar", passes: 42, uses: "sparse files, links" },
  { name: "mime/multipart", passes: 32, uses: "temporary files" },
  { name: "text/template", passes: 45, uses: "globs and files" },
  { name: "log", passes: 9, uses: "stderr" },
  { name: "bufio", passes: 79, uses: "stdio" },
  { name: "flag", passes: 23, uses: "arguments" },
  { name: "time", passes: 136, uses: "clocks, sleep", besides: ["lib/time/zoneinfo.zip"] },
  { name: "context", passes: 39, uses: "timers", seeded: true },
  { name: "crypto/rand", passes: 16, uses: "randomness" },
  { name: "math/rand", passes: 17, uses: "randomness" },
];
