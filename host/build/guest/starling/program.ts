import { installConsole } from "../console.ts";
import { isFatal, logText } from "../failure.ts";
import { phase } from "../phase.ts";
import { installProcess } from "../process.ts";
import { setSourceLines } from "../stack.ts";
import { argv, exit, flush, readStdin, write } from "../stdio.ts";
import { installGlobals, uncaught, untilIdle } from "./globals.ts";
import { installPromise, throwLost } from "./promise.ts";

/** EX_DATAERR: the step says that no attempt can succeed. */
const fatalCode = 65;

setSourceLines(__millraceLines);
installPromise();
installGlobals(__millraceHttp);
installConsole((level, text) => {
  write(level === "debug" || level === "info" ? "stdout" : "stderr", `${text}\n`);
});
installProcess({ argv, exit, write, readStdin });
phase.building = false;
const load = __millraceStep({ readStdin, write });

/** wasi:cli/run, whose promise StarlingMonkey waits for. */
export const run = {
  async run(): Promise<void> {
    try {
      await Promise.race([load().then(untilIdle), uncaught]);
      throwLost();
    } catch (error) {
      write("stderr", `Uncaught ${logText(error)}\n`);
      exit(isFatal(error) ? fatalCode : 1);
    }
    flush();
    const { exitCode } = process;
    if (exitCode !== undefined && Number(exitCode) !== 0) exit(Number(exitCode) & 0xff);
  },
};
