/**
 * A host to be killed: opens the store named by its first argument and advances one run of a function that works a list
 * through, fails behind it, and undoes it; each execution adds a line to the file named by the second argument. Ends
 * once the run has.
 */
import { appendFileSync, writeSync } from "node:fs";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, runId } from "../../../host/index.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";

const [store = "", executions = ""] = process.argv.slice(2);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const program: Program = async ({ ctx, index }) => {
  appendFileSync(executions, `${ctx.stepId} ${index}\n`);
  await pause(3);
  return index ?? null;
};

const host = await createHost({
  store,
  drivers: inProcessDrivers({
    add: program,
    drop: program,
    book: program,
    unbook: program,
    last: () => {
      throw new Failure({ retry: false });
    },
  }),
});
await host.deploy([
  functionVersion(
    {
      id: "f",
      triggers: [{ event: "a/b" }],
      steps: {
        book: { compensate: "unbook" },
        add: {
          after: [{ step: "book" }],
          forEach: { items: "data.rows", concurrency: 4 },
          compensate: "drop",
        },
        last: { after: [{ step: "add" }] },
        drop: {},
        unbook: {},
      },
    },
    {},
    0,
  ),
]);
await host.publish([{ id: "one", name: "a/b", data: { rows: Array.from({ length: 150 }, (_, n) => n) } }]);
writeSync(1, "up\n");
await host.finished(runId("f", "one"));
await host.close();
