import log from "millrace:step/log@0.1.0";
import { installConsole } from "./console.ts";
import { type Failure, failureOf, logText } from "./failure.ts";
import { installGlobals } from "./globals.ts";
import { runUntilSettled, Uncaught } from "./loop.ts";
import { phase, touchOutside } from "./phase.ts";
import { installProcess } from "./process.ts";
import { StepPromise } from "./promise.ts";
import { loadNow, type StepModule, valueOf } from "./step-module.ts";

/** A failure that is already in the world's own form. */
export class WorldFailure {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}

/** Globals, console and process of a step of the typed world. */
export function installTyped(): void {
  installGlobals();
  installConsole((level, text) => {
    touchOutside("the log");
    // While the step is built there is nobody to log to.
    if (!phase.building) log.log(level, text.toWellFormed());
  });
  installProcess({
    argv: () => ["node", "step"],
    write: (stream, text) => (stream === "stdout" ? console.log(text) : console.error(text)),
    readStdin: () => "",
    exit() {
      const message =
        "process.exit is for programs: a step with a default export returns its output or throws.";
      throw Object.assign(new Error(message), { fatal: true });
    },
  });
}

/** Calls a step and awaits it; what it throws is thrown on as `failure` of the world. */
export function runTyped(built: StepModule | undefined, call: (module: StepModule) => unknown): unknown {
  try {
    const module = built ?? loadNow();
    const promise = new StepPromise((resolve) => resolve(call(module)));
    return valueOf(runUntilSettled(promise), "The step");
  } catch (caught) {
    if (caught instanceof WorldFailure) throw caught.failure;
    const error = caught instanceof Uncaught ? caught.reason : caught;
    if (caught instanceof Uncaught && caught.from === "rejection") {
      console.error("A promise was rejected and nothing handled it:");
    }
    console.error(logText(error));
    throw failureOf(error, console.warn);
  }
}
