import { componentizeJsVariable, installComponentizeJs } from "./host/build/find-componentize-js.ts";
import { installToolchains } from "./host/build/find-toolchains.ts";
import { installNatsServer, natsServerVariable } from "./host/nats/find-server.ts";
import { installLambdaEmulator, lambdaEmulatorVariable } from "./runtime/lambda/find-emulator.ts";
import { installMoto, motoVariable } from "./runtime/lambda/find-moto.ts";

/** What tests need beyond npm: how it is had, and the variable that tells them where it is. */
const parts = [
  [natsServerVariable, installNatsServer],
  [lambdaEmulatorVariable, installLambdaEmulator],
  [motoVariable, installMoto],
  [componentizeJsVariable, installComponentizeJs],
] as const;

const missing: string[] = [];

/**
 * Gets what tests need beyond npm, once for all of them. With CI=true a missing part is an error; otherwise its tests
 * are skipped.
 */
export function setup(): void {
  for (const [variable, install] of parts) {
    try {
      process.env[variable] = install();
    } catch (error) {
      if (process.env["CI"] === "true") throw error;
      missing.push((error as Error).message);
    }
  }
  const lacks = installToolchains();
  if (lacks.length > 0 && process.env["CI"] === "true") throw new Error(lacks.join("; "));
  missing.push(...lacks);
}

/** Says at the end, where it is seen, what was skipped. */
export function teardown(): void {
  for (const message of missing) console.error(`\nTESTS WERE SKIPPED. ${message}`);
}
