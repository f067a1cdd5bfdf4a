import { MillraceError, type Problem } from "../errors.ts";
import { pointerStep } from "../json-pointer.ts";
import type { FunctionVersion } from "../function/version.ts";

/** Throws ERR_FUNCTION_INVOKE with all functions that these versions invoke and that are neither among them nor active. */
export async function checkInvoked(
  versions: readonly FunctionVersion[],
  isActive: (functionId: string) => Promise<boolean>,
): Promise<void> {
  const together = new Set(versions.map(({ functionId }) => functionId));
  const problems: Problem[] = [];
  for (const { functionId, document } of versions) {
    for (const [id, { invoke }] of Object.entries(document.steps)) {
      if (invoke === undefined || together.has(invoke.function) || (await isActive(invoke.function)))
        continue;
      const message = `step ${id} of ${functionId} invokes ${invoke.function}, and there is no such active function`;
      const pointer = `/steps${pointerStep(id)}/invoke/function`;
      problems.push({ code: "ERR_FUNCTION_INVOKE", message, pointer });
    }
  }
  const [first] = problems;
  if (first !== undefined) throw new MillraceError("ERR_FUNCTION_INVOKE", `${first.message}.`, { problems });
}
