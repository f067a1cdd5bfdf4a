import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { createDockerDriver } from "../../../runtime/docker/docker.ts";
import { type Dockerd, dockerdForTests } from "./dockerd.ts";
import { anyInput, anyLimits, stepRunner } from "./step-runner.ts";

const found = await dockerdForTests();
afterAll(() => found?.close());
const dockerd = found as Dockerd;

/** The names of all containers, and of all volumes. */
async function leftOver(): Promise<readonly string[]> {
  const containers = (await dockerd.engine.call("GET", "/containers/json", { query: { all: "1" } })) as {
    Names: string[];
  }[];
  const { Volumes } = (await dockerd.engine.call("GET", "/volumes")) as { Volumes: { Name: string }[] };
  return [...containers.flatMap(({ Names }) => Names), ...Volumes.map(({ Name }) => Name)];
}

/** Waits for something to hold. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

const volume = "COPY step /data/note\nVOLUME /data";
const deaf = "trap '' TERM; while :; do busybox sleep 1; done";

describe.skipIf(found === undefined)("no container and no volume is left", () => {
  test.each([
    ["by a step that is done", "exit 0", {}, undefined],
    ["by one that fails", "exit 1", {}, "ERR_STEP_FAILED"],
    ["by one that takes too long", "busybox sleep 600", { wallMs: 1_500 }, "ERR_STEP_TIMEOUT"],
    ["by one that takes too long and ignores SIGTERM", deaf, { wallMs: 1_500 }, "ERR_STEP_TIMEOUT"],
    ["by one that is late before its container is there", "exit 0", { wallMs: 1 }, "ERR_STEP_TIMEOUT"],
    ["by one that floods its output", "busybox yes", { outputBytes: 1_000 }, "ERR_STEP_OUTPUT_TOO_LARGE"],
    ["by one that floods its log", "busybox yes >&2", { logBytes: 1_000 }, "ERR_STEP_LOG_TOO_LARGE"],
    ["by one whose memory ends", "busybox tail /dev/zero", { memoryBytes: 2 ** 24 }, "ERR_STEP_MEMORY"],
  ])("%s", async (_, script, limits, code) => {
    const steps = stepRunner(dockerd);
    const program = await steps.program(script, {}, volume);
    expect(await steps.driver.prepare(program, anyLimits)).toBeUndefined();
    const result = await steps.run(program, limits);
    expect(result.ok ? undefined : result.failure.code).toBe(code);
    await steps.driver.close();
    expect(await leftOver()).toEqual([]);
  });

  test("by a cancel, at whatever moment it comes", async () => {
    const steps = stepRunner(dockerd);
    const program = await steps.program("busybox sleep 600", {}, volume);
    await steps.driver.prepare(program, anyLimits);
    for (const ms of [0, 3, 10, 30, 60, 100, 150, 250, 400]) {
      const result = await steps.run(program, {}, { signal: AbortSignal.timeout(ms) });
      expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_CANCELLED" } });
    }
    await steps.driver.close();
    expect(await leftOver()).toEqual([]);
  });

  test("by a driver that is closed at whatever moment", async () => {
    const { artifacts, driver, program } = stepRunner(dockerd);
    const sleeping = await program("busybox sleep 600", {}, volume);
    await driver.prepare(sleeping, anyLimits);
    await driver.close();
    for (const ms of [0, 5, 20, 50, 100, 200]) {
      const env = { DOCKER_HOST: dockerd.host };
      const other = createDockerDriver({ artifacts: artifacts.source, parallelism: 2, env });
      const attempt = { program: sleeping, input: anyInput(), limits: anyLimits };
      const running = [other.execute(attempt), other.execute(attempt), other.execute(attempt)];
      await new Promise((resolve) => setTimeout(resolve, ms));
      await other.close();
      for (const result of await Promise.all(running)) {
        expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_CANCELLED" } });
      }
      expect(await leftOver()).toEqual([]);
    }
  });

  test("by a build that is cut off", async () => {
    const steps = stepRunner(dockerd);
    const program = await steps.program("exit 0", {}, 'RUN ["/bin/busybox", "sleep", "600"]');
    const prepared = steps.driver.prepare(program, anyLimits);
    await until(async () => (await leftOver()).length > 0);
    await steps.driver.close();
    expect(await prepared).toMatchObject({ code: "ERR_STEP_CANCELLED" });
    await until(async () => (await leftOver()).length === 0);
  });

  test("by a host that was killed, once another begins; one that lives keeps its own", async () => {
    const steps = stepRunner(dockerd);
    const program = await steps.program("busybox sleep 600", {}, volume);
    await steps.driver.prepare(program, anyLimits);
    await steps.driver.close();
    const script = fileURLToPath(new URL("killed-driver.ts", import.meta.url));
    const args = [script, dockerd.host, JSON.stringify(program), JSON.stringify(anyInput())];
    const killed = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    const [orphan] = await leftOver();
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(await leftOver()).toContain(orphan);

    const living = stepRunner(dockerd);
    const running = living.run(program);
    await until(async () => (await leftOver()).length === 2 && !(await leftOver()).includes(orphan ?? ""));
    const own = await leftOver();
    const third = stepRunner(dockerd);
    await third.run(await third.program("exit 0"));
    await third.driver.close();
    expect(await leftOver()).toEqual(own);
    await living.driver.close();
    expect(await running).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
    expect(await leftOver()).toEqual([]);
  });
});

describe.skipIf(found === undefined)("a container of a host elsewhere", () => {
  test("is left alone until its attempt must be over on everybody's clock", async () => {
    const steps = stepRunner(dockerd);
    const { ran } = await steps.run(await steps.program("exit 0"));
    const make = async (name: string, expires: number): Promise<void> => {
      const Labels = { "millrace.owner": "another-boot/1/1", "millrace.expires": String(expires) };
      await dockerd.engine.call("POST", "/containers/create", {
        query: { name },
        body: { Image: ran, Labels },
      });
    };
    const minute = 60_000;
    await make("over", Date.now() - 11 * minute);
    await make("just-over", Date.now() - 9 * minute);
    await make("running", Date.now() + minute);
    const other = stepRunner(dockerd);
    await other.run(await other.program("exit 0"));
    await other.driver.close();
    await steps.driver.close();
    expect((await leftOver()).toSorted()).toEqual(["/just-over", "/running"]);
    for (const name of ["just-over", "running"]) await dockerd.engine.call("DELETE", `/containers/${name}`);
  });
});

describe.skipIf(found === undefined)("an engine that goes away", () => {
  /** An address of the engine that can be cut off. */
  async function cable() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-cable-"));
    const path = join(folder, "docker.sock");
    const sockets = new Set<Socket>();
    let frozen = false;
    const server = createServer((near) => {
      const far = createConnection(dockerd.host.replace("unix://", ""));
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.on("data", (data) => frozen || far.write(data));
      far.on("data", (data) => frozen || near.write(data));
      near.on("end", () => frozen || far.end());
      far.on("end", () => frozen || near.end());
    });
    const open = async (): Promise<void> => {
      server.listen(path);
      await once(server, "listening");
    };
    const cut = async (): Promise<void> => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    };
    await open();
    return {
      host: `unix://${path}`,
      open,
      cut,
      freeze: (on: boolean) => void (frozen = on),
      async close() {
        await cut();
        rmSync(folder, { recursive: true });
      },
    };
  }

  test("fails its attempts for now, and has them cleared away when it is back", async () => {
    const line = await cable();
    const steps = stepRunner(dockerd, { DOCKER_HOST: line.host });
    const program = await steps.program("busybox sleep 600");
    const running = steps.run(program);
    await until(async () => (await leftOver()).length > 0);
    await line.cut();
    expect(await running).toMatchObject({
      ok: false,
      failure: { code: "ERR_DOCKER_UNREACHABLE", retry: true },
    });
    expect(await steps.run(program)).toMatchObject({ failure: { code: "ERR_DOCKER_UNREACHABLE" } });
    expect(await leftOver()).not.toEqual([]);
    await line.open();
    expect(await steps.run(await steps.program("echo 1"))).toMatchObject({ ok: true, output: 1 });
    await steps.driver.close();
    expect(await leftOver()).toEqual([]);
    await line.close();
  });

  test("holds no attempt beyond its time by saying nothing", async () => {
    const line = await cable();
    const steps = stepRunner(dockerd, { DOCKER_HOST: line.host });
    const program = await steps.program("busybox sleep 600");
    await steps.driver.prepare(program, anyLimits);
    const running = steps.run(program, { wallMs: 3_000 });
    await until(async () => (await leftOver()).length > 0);
    line.freeze(true);
    expect(await running).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
    line.freeze(false);
    await line.cut();
    await line.open();
    await steps.run(program, {}, { signal: AbortSignal.timeout(500) });
    await steps.driver.close();
    expect(await leftOver()).toEqual([]);
    await line.close();
  });
});
