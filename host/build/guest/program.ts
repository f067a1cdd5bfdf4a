import { installConsole } from "./console.ts";
import { isFatal, logText } from "./failure.ts";
import { installGlobals } from "./globals.ts";
import { runToEnd, Uncaught } from "./loop.ts";
import { phase } from "./phase.ts";
import { installProcess } from "./process.ts";
import { loadNow } from "./step-module.ts";
import { argv, exit, flush, readStdin, write } from "./stdio.ts";

/** EX_DATAERR: the step says that no attempt can succeed. */
const fatalCode = 65;

installGlobals();
installConsole((level, text) => {
  write(level === "debug" || level === "info" ? "stdout" : "stderr", `${text}\n`);
});
installProcess({ argv, exit, write, readStdin });
phase.building = false;

function main(): void {
  loadNow();
  runToEnd();
}

/** wasi:cli/run: evaluates the step's module, which reads its argument and prints. */
export const run = {
  run(): void {
    try {
      main();
    } catch (caught) {
      const error = caught instanceof Uncaught ? caught.reason : caught;
      write("stderr", `Uncaught ${logText(error)}\n`);
      exit(isFatal(error) ? fatalCode : 1);
    }
    flush();
    const { exitCode } = process;
    if (exitCode !== undefined && Number(exitCode) !== 0) exit(Number(exitCode) & 0xff);
  },
};
