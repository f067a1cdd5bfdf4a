import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import { createLambdaDriver } from "../../../runtime/lambda/lambda.ts";
import { driverContract, stepPrograms, type DriverFixture } from "../driver-contract.ts";
import { lambdaProgram } from "./attempts.ts";
import { skipped, startEmulator } from "./emulator.ts";

type Program = keyof typeof stepPrograms;

/** The contract's steps, each in an emulator of its own, since one has but one function. */
async function open(): Promise<DriverFixture> {
  const handler = fileURLToPath(new URL("../../fixtures/lambda/contract.mjs", import.meta.url));
  const names = Object.keys(stepPrograms) as Program[];
  const emulators = await Promise.all(
    names.map((name) => startEmulator({ handler, environment: { CONTRACT_STEP: name } })),
  );
  const programs = names.map((name, index) => {
    const endpoint = emulators[index]?.endpoint ?? "";
    return [name, lambdaProgram({ endpoint })] as const;
  });
  return {
    driver: createLambdaDriver(),
    programs: Object.fromEntries(programs) as DriverFixture["programs"],
    async dispose() {
      await Promise.all(emulators.map((emulator) => emulator.close()));
    },
  };
}

describe.skipIf(skipped)("on AWS's emulator", () => {
  // The emulator gives no end of the log.
  driverContract("lambda", open, { logs: false });
});
