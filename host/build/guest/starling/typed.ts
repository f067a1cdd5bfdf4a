import native from "millrace:step/log@0.1.0";
import { installConsole, type Level } from "../console.ts";
import type { StepModule } from "../evaluate.ts";
import { failureOf, logText, WorldFailure } from "../failure.ts";
import { callFunction, checkFunction, type WorldInput } from "../function.ts";
import { callHandler, checkHandler } from "../handler.ts";
import { phase } from "../phase.ts";
import { installProcess } from "../process.ts";
import { setSourceLines } from "../stack.ts";
import { installGlobals, uncaught } from "./globals.ts";
import { installPromise, throwLost } from "./promise.ts";

const { check, call } =
  __millraceKind === "handler"
    ? { check: checkHandler, call: callHandler }
    : { check: checkFunction, call: callFunction };

const log = (level: Level, message: string): void => native.log(level, String(message).toWellFormed());

setSourceLines(__millraceLines);
installPromise();
installGlobals(__millraceHttp);
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
// The module is loaded in each attempt: nothing that it reads is of the time when it was built.
phase.building = false;
const load = __millraceStep({ log });

async function attempt(input: WorldInput): Promise<string> {
  const module: StepModule = await load();
  const complaint = check(module);
  if (complaint !== undefined) throw Object.assign(new TypeError(complaint), { fatal: true });
  const output = await call(module, input);
  throwLost();
  return output;
}

/** millrace:step/handler, whose promise StarlingMonkey waits for. */
export const handler = {
  async run({ event, steps, ctx }: WorldInput): Promise<string> {
    try {
      return await Promise.race([attempt({ event: record(event), steps, ctx: record(ctx) }), uncaught]);
    } catch (error) {
      if (!(error instanceof WorldFailure)) console.error(logText(error));
      throw thrown(error instanceof WorldFailure ? error.failure : failureOf(error, console.warn));
    }
  },
};

const plain = (value: unknown): unknown => (typeof value === "bigint" ? Number(value) : (value ?? null));

/** A record as QuickJS hands it over: u64 as number, an option that is not there as null. */
function record(fields: WorldInput["event"]): WorldInput["event"] {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value) as string]));
}

/** And a failure as this one takes it. */
function thrown(failure: WorldFailure["failure"]): unknown {
  if (failure.tag === "fatal") return failure;
  const { message, after } = failure.val;
  return { tag: "retry", val: { message, after: after === null ? undefined : BigInt(after) } };
}
