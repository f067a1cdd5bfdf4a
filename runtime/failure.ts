import type { StepFailure } from "./driver.ts";
import { runtimeErrors } from "./errors.ts";
import type { RuntimeErrorCode } from "./errors.ts";

/** The exit code by which a program says that no other attempt can help: EX_DATAERR of sysexits.h. */
export const fatalStatus = 65;

/** Messages are cut behind this many characters: parts of them are a guest's, and they are kept in histories. */
const longestMessage = 4_000;

/** A failure with what its row in the table says about another attempt. */
export function failure(code: RuntimeErrorCode, message: string): StepFailure {
  const kept =
    message.length > longestMessage ? `${message.slice(0, longestMessage).toWellFormed()}…` : message;
  return { code, message: kept, retry: runtimeErrors[code].retry };
}
