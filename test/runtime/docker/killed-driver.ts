/** Runs an attempt of the program in its arguments, and says so once its container is there; it is killed then. */
import { createDockerDriver } from "../../../runtime/docker/docker.ts";
import { defaultLimits } from "../../../runtime/limits.ts";
import type { Attempt } from "../../../runtime/driver.ts";
import { createEngine } from "../../../runtime/docker/engine.ts";

const [host = "", program = "", input = ""] = process.argv.slice(2);
const env = { DOCKER_HOST: host };
const driver = createDockerDriver({ artifacts: () => Promise.resolve(undefined), env });
void driver.execute({
  program: JSON.parse(program) as Attempt["program"],
  input: JSON.parse(input) as Attempt["input"],
  limits: { ...defaultLimits, wallMs: 3_600_000 },
});
const engine = createEngine(env);
for (;;) {
  const filters = JSON.stringify({ label: [`millrace.owner`], status: ["running"] });
  const running = (await engine.call("GET", "/containers/json", { query: { filters } })) as object[];
  if (running.length > 0) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
console.log("running");
