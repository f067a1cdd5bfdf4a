import { execFile } from "node:child_process";

const longestMs = 30_000;

/** What a program prints that is given a text on stdin; undefined when it is not there, fails or takes too long. */
export function runProgram(
  program: string,
  args: readonly string[],
  input: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { timeout: longestMs }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
