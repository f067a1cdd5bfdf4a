import type { Attempt, AttemptResult, Driver, RuntimeName, StepProgram } from "../../runtime/driver.ts";
import type { Secrets } from "../../runtime/secrets.ts";
import { createRedactor, type Redactor } from "./redactor.ts";

/** Drivers whose attempts hand back none of the secrets that they were granted: not in outputs, logs or failures. */
export function redacted(
  drivers: ReadonlyMap<RuntimeName, Driver>,
  secrets: Secrets,
): ReadonlyMap<RuntimeName, Driver> {
  if (secrets.size === 0) return drivers;
  const redactors = new Map<string, Redactor>();
  const redactorOf = ({ capabilities }: StepProgram): Redactor | undefined => {
    const names = Object.keys(capabilities?.secrets ?? {}).filter((name) => secrets.has(name));
    if (names.length === 0) return undefined;
    const key = names.join();
    const found = redactors.get(key);
    if (found !== undefined) return found;
    const made = createRedactor(new Map(names.map((name) => [name, secrets.get(name) ?? ""])));
    redactors.set(key, made);
    return made;
  };
  return new Map([...drivers].map(([name, driver]) => [name, redactedDriver(driver, redactorOf)]));
}

function redactedDriver(driver: Driver, redactorOf: (program: StepProgram) => Redactor | undefined): Driver {
  return {
    ...driver,
    async execute(attempt) {
      const redactor = redactorOf(attempt.program);
      if (redactor === undefined) return driver.execute(attempt);
      try {
        return redactedResult(await driver.execute(heard(attempt, redactor)), redactor);
      } catch (error) {
        // oxlint-disable-next-line preserve-caught-error -- the error itself may hold the secret
        throw new Error(redactor.text(error instanceof Error ? error.message : String(error)));
      }
    },
  };
}

/** What is heard of its log meanwhile has none either. */
function heard(attempt: Attempt, redactor: Redactor): Attempt {
  const { onLog } = attempt;
  if (onLog === undefined) return attempt;
  return { ...attempt, onLog: (line) => redactor.logs([line]).forEach(onLog) };
}

function redactedResult(result: AttemptResult, redactor: Redactor): AttemptResult {
  const logs = redactor.logs(result.logs);
  if (result.ok) return { ...result, output: redactor.json(result.output), logs };
  return { ...result, failure: redactor.failure(result.failure), logs };
}
