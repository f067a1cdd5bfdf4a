import { readFile } from "node:fs/promises";
import { CliError } from "./errors.ts";

/** Reads a file that the command line or a setting names; `next` where another way out than the table's fits. Throws ERR_INPUT_FILE. */
export async function readInputFile(file: string, next = "Check the path."): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CliError("ERR_INPUT_FILE", `${file} can't be read: ${reasonOf(cause)}.`, { cause, next });
  }
}

/** Why the operating system gave no file. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "a part of its path is a file, not a folder";
    case "EACCES":
    case "EPERM":
      return "this user may not read it";
    default:
      return message;
  }
}
