import { installConsole } from "./console.ts";
import { build, type BuildRequest, stepModule } from "./evaluate.ts";
import { isFatal, logText } from "./failure.ts";
import { installGlobals } from "./globals.ts";
import { runToEnd, Uncaught } from "./loop.ts";
import { phase } from "./phase.ts";
import { installProcess } from "./process.ts";
import { argv, exit, flush, forgetStdin, readStdin, write } from "./stdio.ts";

/** EX_DATAERR: the step says that no attempt can succeed. */
const fatalCode = 65;

installGlobals();
installConsole((level, text) => {
  write(level === "debug" || level === "info" ? "stdout" : "stderr", `${text}\n`);
});
installProcess({ argv, exit, write, readStdin });

function buildStep(request: BuildRequest): void {
  const news = build(request, { readStdin, write }, () => undefined);
  write("stdout", JSON.stringify(news));
  flush();
  forgetStdin();
}

/** wasi:cli/run: loads the step's module, which reads its argument and prints. Until a step is built into the guest, it
 * takes a request of the builder on stdin. */
export const run = {
  run(): void {
    if (phase.building) return buildStep(JSON.parse(readStdin()) as BuildRequest);
    try {
      stepModule();
      runToEnd();
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
