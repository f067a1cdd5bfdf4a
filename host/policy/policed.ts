import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import { runtimeErrors } from "../../runtime/errors.ts";
import { type Policy, policyProblems } from "./policy.ts";

/**
 * Drivers that run no attempt of a step that the policy does not allow. Deployments are refused before; this is for
 * versions that came into the store another way, or before the policy.
 */
export function policed(
  drivers: ReadonlyMap<RuntimeName, Driver>,
  policy: Policy | undefined,
): ReadonlyMap<RuntimeName, Driver> {
  if (policy === undefined) return drivers;
  return new Map([...drivers].map(([name, driver]) => [name, policedDriver(driver, policy)]));
}

function policedDriver(driver: Driver, policy: Policy): Driver {
  return {
    ...driver,
    async execute(attempt) {
      const { program, limits, input } = attempt;
      const { functionId, stepId } = input.ctx;
      const [problem] = policyProblems(policy, functionId, { id: stepId, program, limits });
      if (problem === undefined) return driver.execute(attempt);
      const { retry } = runtimeErrors.ERR_STEP_POLICY;
      const message = `The operator's policy does not allow it: ${problem.message} (${problem.pointer ?? ""}).`;
      return { ok: false, failure: { code: "ERR_STEP_POLICY", message, retry }, logs: [] };
    },
  };
}
