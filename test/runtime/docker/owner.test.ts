import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hasEnded, ownName } from "../../../runtime/docker/owner.ts";

const module = fileURLToPath(new URL("../../../runtime/docker/owner.ts", import.meta.url));

test("a process lives until it has ended", async () => {
  expect(ownName()).toBe(ownName());
  expect(hasEnded(ownName())).toBe(false);
  const script = `import(${JSON.stringify(module)}).then(({ ownName }) => { console.log(ownName()); setInterval(() => {}, 1000); })`;
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  const name = output.toString().trim();
  expect(name).not.toBe(ownName());
  expect(hasEnded(name)).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(hasEnded(name)).toBe(true);
});

test("a number that another process has by now does not make it live on", () => {
  const [machine = ""] = ownName().split("/");
  expect(hasEnded(`${machine}/${process.pid}/1`)).toBe(true);
});

test.each(["", "elsewhere/1/1", `another-boot-4026531836/${process.pid}/1`, "x"])(
  "of %j, which is of another machine, nothing is known",
  (name) => {
    expect(hasEnded(name)).toBe(false);
  },
);
