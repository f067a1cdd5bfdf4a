import native from "millrace:step/log@0.1.0";
import { installConsole, type Level } from "./console.ts";
import { build, type BuildRequest, stepModule, type StepModule, valueOf } from "./evaluate.ts";
import { failureOf, logText, WorldFailure } from "./failure.ts";
import { callFunction, checkFunction, type WorldInput } from "./function.ts";
import { installGlobals } from "./globals.ts";
import { callHandler, checkHandler } from "./handler.ts";
import { runUntilSettled, Uncaught } from "./loop.ts";
import { phase, touchOutside } from "./phase.ts";
import { installProcess } from "./process.ts";
import { StepPromise } from "./promise.ts";

const kinds = {
  function: { check: checkFunction, call: callFunction },
  handler: { check: checkHandler, call: callHandler },
};

let kind: keyof typeof kinds = "function";

function log(level: Level, message: string): void {
  touchOutside("the log");
  // While the step is built there is nobody to log to.
  if (!phase.building) native.log(level, String(message).toWellFormed());
}

installGlobals();
installConsole(log);
installProcess({
  argv: () => ["node", "step"],
  write: (stream, text) => log(stream === "stdout" ? "info" : "error", text),
  readStdin: () => "",
  exit() {
    const message =
      "process.exit is for programs: a step with a default export returns its output or throws.";
    throw Object.assign(new Error(message), { fatal: true });
  },
});

function buildStep(request: BuildRequest): string {
  if (request.kind !== "program") ({ kind } = request);
  return JSON.stringify(build(request, { log }, kinds[kind].check));
}

async function attempt(module: StepModule, input: WorldInput): Promise<string> {
  const { check, call } = kinds[kind];
  const complaint = check(module);
  if (complaint !== undefined) throw Object.assign(new TypeError(complaint), { fatal: true });
  return call(module, input);
}

/** millrace:step/handler. Until a step is built into the guest, it takes a request of the builder as an event's data. */
export const handler = {
  run(input: WorldInput): unknown {
    if (phase.building) return buildStep(JSON.parse(String(input.event["data"])) as BuildRequest);
    try {
      const module = stepModule();
      const promise = new StepPromise((resolve) => resolve(attempt(module, input)));
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
  },
};
