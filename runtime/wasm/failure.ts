import type { StepFailure } from "../driver.ts";
import { runtimeErrors } from "../errors.ts";
import type { RuntimeErrorCode } from "../errors.ts";

/** A failure with what its row in the table says about another attempt. */
export function failure(code: RuntimeErrorCode, message: string): StepFailure {
  return { code, message, retry: runtimeErrors[code].retry };
}
