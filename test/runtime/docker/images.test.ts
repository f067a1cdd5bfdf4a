import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import type { StepProgram } from "../../../runtime/driver.ts";
import { type Dockerd, dockerdForTests } from "./dockerd.ts";
import { archive } from "./images.ts";
import { startRegistry } from "./registry.ts";
import { anyLimits, type StepRunner, stepRunner } from "./step-runner.ts";

const found = await dockerdForTests();
const dockerd = found as Dockerd;
const registry = found && (await startRegistry());
const home = mkdtempSync(join(tmpdir(), "millrace-docker-home-"));
/** What `docker login` writes. */
const auth = Buffer.from("step:p:w").toString("base64");
writeFileSync(join(home, "config.json"), JSON.stringify({ auths: { [registry?.host ?? ""]: { auth } } }));
const steps = found && stepRunner(found, {}, new Map());
afterAll(async () => {
  await steps?.driver.close();
  await registry?.close();
  await found?.close();
  rmSync(home, { recursive: true });
});
const docker = (options: Record<string, Json>): StepProgram => ({ runtime: { type: "docker", ...options } });

/** Has the engine build a script's image, and gives the image's id. */
async function imageOf(script: string, more?: string): Promise<string> {
  if (steps === undefined) throw new Error("there is no engine");
  const result = await steps.run(await steps.program(script, {}, more));
  return result.ran?.replace("sha256:", "") ?? "";
}

describe.skipIf(steps === undefined)("an image that is built", () => {
  const { program, driver, run, artifacts } = steps!;

  test("is built once, and again when the engine has lost it", async () => {
    const step = await program("echo built");
    expect(await driver.prepare(step, anyLimits)).toBeUndefined();
    const first = await run(step);
    expect(first).toMatchObject({ ok: true, output: "built", ran: expect.stringMatching(/^sha256:/) });
    const started = process.hrtime.bigint();
    expect((await run(step)).ran).toBe(first.ran);
    expect(process.hrtime.bigint()).toBeGreaterThan(started);
    await dockerd.engine.call("DELETE", `/images/${first.ran ?? ""}`, { query: { force: "1" } });
    expect(await run(step)).toMatchObject({ ok: true, output: "built" });
  });

  test("can be a stage of its Dockerfile, under another name and with arguments", async () => {
    const files = {
      "prod.Dockerfile": `ARG WHO=nobody
        FROM scratch AS run
        ARG WHO
        COPY busybox /bin/busybox
        ENV WHO=$WHO
        CMD ["/bin/busybox", "sh", "-c", "echo $WHO"]
        FROM run AS other
        ENV WHO=other`,
      busybox: await import("node:fs").then(({ readFileSync }) => readFileSync(dockerd.busybox)),
    };
    const sha256 = artifacts.put(await archive(files));
    const build = (options: Record<string, Json>): StepProgram => ({
      ...docker({ build: { dockerfile: "prod.Dockerfile", ...options } }),
      sha256,
    });
    expect(await run(build({}))).toMatchObject({ output: "other" });
    expect(await run(build({ target: "run" }))).toMatchObject({ output: "nobody" });
    expect(await run(build({ target: "run", args: { WHO: "me" } }))).toMatchObject({ output: "me" });
    expect(await run(build({ target: "none" }))).toMatchObject({
      failure: { code: "ERR_IMAGE_BUILD", retry: false },
    });
  });

  test("that can't be is told with the build's last lines, and each attempt fails with the same", async () => {
    const line = 'RUN ["/bin/busybox", "sh", "-c", "echo one; echo two; exit 7"]';
    const step = await program("exit 0", {}, line);
    const failure = await driver.prepare(step, anyLimits);
    expect(failure).toMatchObject({ code: "ERR_IMAGE_BUILD", retry: false });
    expect(failure?.message).toMatch(/returned a non-zero code: 7\. Its last lines:\n[^]*\none\ntwo\n/);
    expect(await run(step)).toMatchObject({ ok: false, failure: { code: "ERR_IMAGE_BUILD" } });
  });

  test.each([
    ["FROM nothing-that-is/there:at-all", "ERR_IMAGE_BUILD"],
    ["FROM scratch\nCOPY missing /x", "ERR_IMAGE_BUILD"],
    ["NONSENSE", "ERR_IMAGE_BUILD"],
    ["FROM scratch\nCOPY Dockerfile /x", "ERR_IMAGE_PROGRAM"],
    ['FROM scratch\nCOPY Dockerfile /x\nCMD ["/missing"]', "ERR_IMAGE_PROGRAM"],
    ['FROM scratch\nCOPY Dockerfile /x\nCMD ["/x"]', "ERR_IMAGE_PROGRAM"],
    ['FROM scratch\nCOPY Dockerfile /x\nUSER nobody-of-that-name\nCMD ["/x"]', "ERR_IMAGE_PROGRAM"],
  ])("%j is refused with %s", async (dockerfile, code) => {
    const sha256 = artifacts.put(await archive({ Dockerfile: dockerfile }));
    expect(await run({ ...docker({}), sha256 })).toMatchObject({ failure: { code, retry: false } });
  });

  test("has no network while it is built", async () => {
    const line = 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox ls /sys/class/net > /net"]';
    const step = await program("busybox cat /net", {}, line);
    expect(await run(step)).toMatchObject({ output: "lo" });
  });

  describe("by BuildKit, where its Dockerfile has what that alone has,", () => {
    const mounted = (script: string): string =>
      `RUN --mount=type=cache,target=/cache ["/bin/busybox", "sh", "-c", ${JSON.stringify(script)}]`;

    test("has no network either, and its label", async () => {
      const look = mounted("busybox ls /sys/class/net > /net; busybox ls -d /cache >> /net");
      const more = `COPY --chmod=0700 step /other\nENV PATH=/bin\n${look}`;
      const step = await program("busybox cat /net; busybox stat -c %a /other", {}, more);
      const result = await run(step);
      expect(result).toMatchObject({ ok: true, output: "lo\n/cache\n700" });
      const found = await dockerd.engine.call("GET", `/images/${result.ran ?? ""}/json`);
      expect(found).toMatchObject({ Config: { Labels: { "millrace.artifact": step.sha256 } } });
    });

    test("is told with its last lines where it fails", async () => {
      const step = await program("exit 0", {}, mounted("echo one; echo two >&2; exit 7"));
      const failure = await driver.prepare(step, anyLimits);
      expect(failure).toMatchObject({ code: "ERR_IMAGE_BUILD", retry: false });
      const [why, lines = ""] = failure?.message.split(" Its last lines:\n") ?? [];
      expect(why).toMatch(/exit code: 7/);
      expect(lines).toMatch(/RUN --mount/);
      // The two are different streams, in no order.
      expect(lines.split("\n").slice(-2).toSorted()).toEqual(["one", "two"]);
    });

    test("leaves nothing running when it is cut off", async () => {
      const steps = stepRunner(dockerd);
      const seconds = 100_000 + process.pid;
      const step = await steps.program("exit 0", {}, mounted(`exec /bin/busybox sleep ${seconds}`));
      const isRunning = (): boolean =>
        spawnSync("pgrep", ["-f", `^/bin/busybox sleep ${seconds}$`]).status === 0;
      const prepared = steps.driver.prepare(step, anyLimits);
      await expect.poll(isRunning, { timeout: 30_000 }).toBe(true);
      await steps.driver.close();
      expect(await prepared).toMatchObject({ code: "ERR_STEP_CANCELLED" });
      await expect.poll(isRunning, { timeout: 30_000 }).toBe(false);
    });

    const chmod = 'FROM scratch\nCOPY --chmod=0700 Dockerfile /x\nCMD ["/x"]';
    test.each([
      ["a line of its Dockerfile", "# syntax=example.com/frontend:1\n", {}, "example.com/frontend:1"],
      ["of a Dockerfile by another name", "#SYNTAX=x/y\n", { dockerfile: "./Dockerfile" }, "x/y"],
      ["an argument", "", { args: { BUILDKIT_SYNTAX: "example.com/frontend" } }, "example.com/frontend"],
    ])(
      "is not read by a stranger's frontend, which could give it a network: %s",
      async (_, line, build, who) => {
        const sha256 = artifacts.put(await archive({ Dockerfile: line + chmod }));
        expect(await run({ ...docker({ build }), sha256 })).toMatchObject({
          failure: {
            code: "ERR_IMAGE_BUILD",
            message: expect.stringContaining(`have ${who} read the Dockerfile`),
          },
        });
      },
    );
  });

  test("needs a context that is in the store", async () => {
    const sha256 = "0".repeat(64);
    expect(await run({ ...docker({}), sha256 })).toMatchObject({ failure: { code: "ERR_ARTIFACT_MISSING" } });
    expect(await run(docker({}))).toMatchObject({ failure: { code: "ERR_ARTIFACT_MISSING" } });
  });
});

describe.skipIf(steps === undefined)("an image by its name", () => {
  const { run, driver } = steps!;

  test("is looked up at each attempt, so that a new one of the name is taken", async () => {
    for (const output of ["one", "two"]) {
      const query = { repo: "local-step", tag: "dev" };
      await dockerd.engine.call("POST", `/images/${await imageOf(`echo ${output}`)}/tag`, { query });
      const step = docker({ image: "local-step:dev", pull: "never" });
      expect(await run(step)).toMatchObject({ ok: true, output, ran: expect.stringMatching(/^sha256:/) });
    }
  });

  test("may have another entrypoint and command", async () => {
    const image = `sha256:${await imageOf("exit 1")}`;
    const command = ["printf", "%s %s", "hello"];
    const step = docker({ image, entrypoint: ["/bin/busybox"], command });
    const result = await run(step);
    expect(result.ok && result.output).toMatch(/^hello \{"event"/);
    expect(await run(docker({ image, entrypoint: ["/bin/busybox", "true"] }))).toMatchObject({ ok: true });
  });

  test("that the engine does not have, and may not pull, is told", async () => {
    const step = docker({ image: "nowhere-to-be-found:1", pull: "never" });
    expect(await driver.prepare(step, anyLimits)).toMatchObject({ code: "ERR_IMAGE_MISSING", retry: false });
    expect(await run(step)).toMatchObject({ failure: { code: "ERR_IMAGE_MISSING" } });
  });

  test.each(["127.0.0.1:1/nobody/listens:1", "../../version", "UPPER/case"])(
    "%j can't be pulled",
    async (image) => {
      expect(await run(docker({ image }))).toMatchObject({
        failure: { code: "ERR_IMAGE_PULL", retry: true },
      });
    },
  );
});

describe.skipIf(registry === undefined)("an image of a registry", () => {
  const env = { DOCKER_CONFIG: home };

  test("is pulled by who is logged in, if the engine does not have it, and its digest is told", async () => {
    const image = await registry!.publish(dockerd.engine, await imageOf("echo pulled"), "team/step:1");
    const stranger = stepRunner(dockerd, { DOCKER_CONFIG: tmpdir() });
    expect(await stranger.run(docker({ image }))).toMatchObject({
      failure: { code: "ERR_IMAGE_PULL", message: expect.stringContaining("no basic auth credentials") },
    });
    expect(await stranger.run(docker({ image, pull: "never" }))).toMatchObject({
      failure: { code: "ERR_IMAGE_MISSING" },
    });
    await stranger.driver.close();

    const { run, driver } = stepRunner(dockerd, env);
    const result = await run(docker({ image }));
    expect(result).toMatchObject({ ok: true, output: "pulled" });
    expect(result.ran).toMatch(new RegExp(`^${registry!.host}/team/step@sha256:[0-9a-f]{64}$`));
    // By its digest it is the same for good.
    expect(await run(docker({ image: result.ran ?? "" }))).toMatchObject({
      output: "pulled",
      ran: result.ran,
    });
    await driver.close();
  });

  test("is pulled anew by each host that gets it ready, where it always is to be", async () => {
    const first = await registry!.publish(dockerd.engine, await imageOf("echo old"), "team/moving:1");
    const always = docker({ image: first, pull: "always" });
    const old = stepRunner(dockerd, env);
    expect(await old.run(always)).toMatchObject({ output: "old" });
    await registry!.publish(dockerd.engine, await imageOf("echo new"), "team/moving:1");
    await dockerd.engine.call("POST", `/images/${await imageOf("echo old")}/tag`, {
      query: { repo: `${registry!.host}/team/moving`, tag: "1" },
    });
    expect(await old.run(docker({ image: first }))).toMatchObject({ output: "old" });
    expect(await old.run(always)).toMatchObject({ output: "old" });
    await old.driver.close();
    const other = stepRunner(dockerd, env);
    expect(await other.driver.prepare(always, anyLimits)).toBeUndefined();
    expect(await other.run(always)).toMatchObject({ output: "new" });
    await other.driver.close();
  });

  test("is what a folder's own image begins with, by who is logged in", async () => {
    const image = await registry!.publish(dockerd.engine, await imageOf("echo base"), "team/base:1");
    const step = async (steps: StepRunner): Promise<StepProgram> => ({
      ...docker({}),
      sha256: steps.artifacts.put(await archive({ Dockerfile: `FROM ${image}\nENV MINE=1` })),
    });
    const stranger = stepRunner(dockerd, { DOCKER_CONFIG: tmpdir() });
    expect(await stranger.run(await step(stranger))).toMatchObject({
      failure: { code: "ERR_IMAGE_BUILD", message: expect.stringContaining("no basic auth credentials") },
    });
    await stranger.driver.close();
    const member = stepRunner(dockerd, env);
    expect(await member.run(await step(member))).toMatchObject({ ok: true, output: "base" });
    await member.driver.close();
  });
});
