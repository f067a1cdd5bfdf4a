import { readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadProject } from "../../host/build/project.ts";
import { dockerdForTests } from "../runtime/docker/dockerd.ts";
import { projectFolder, type ProjectFixture } from "./build/project-fixture.ts";
import { startProject, type ProjectHost } from "./build/project-host.ts";

const dockerd = await dockerdForTests();

const secret = "s3cret-of-a-container";
/** Says what it was given, to whoever might listen. */
const telling = `echo "to the log: $TOKEN" >&2; echo "put out: $TOKEN"`;

describe.skipIf(dockerd === undefined)("a project with docker steps", () => {
  let fixture: ProjectFixture;
  let host: ProjectHost;
  beforeAll(async () => {
    process.env["DOCKER_HOST"] = dockerd?.host;
    const steps = {
      first: { path: "file://./first", runtime: { type: "docker" } },
      second: { path: "file://./second.js", after: [{ step: "first" }] },
      broken: {
        path: "file://./broken",
        runtime: { type: "docker" },
        after: [{ step: "first", if: "data.broken" }],
      },
      secretive: {
        path: "file://./first",
        runtime: { type: "docker", entrypoint: ["/bin/busybox", "sh", "-c"], command: [telling] },
        capabilities: { secrets: ["TOKEN"] },
        retry: { retries: 0 },
        after: [{ step: "first", if: "data.secretive" }],
      },
    };
    const script = `busybox echo "{\\"got\\": $(/bin/busybox wc -c), \\"last\\": \${#1}}"; echo logged >&2`;
    fixture = await projectFolder({
      "function.json": JSON.stringify({ id: "f", triggers: [{ event: "a/b" }], steps }),
      "first/Dockerfile": `FROM scratch\nCOPY busybox /bin/busybox\nCOPY step /step\nENV PATH=/bin\nENTRYPOINT ["/bin/busybox", "sh", "/step"]`,
      "first/step": script,
      "first/busybox": readFileSync(dockerd?.busybox ?? ""),
      "first/.dockerignore": "*.md",
      "first/README.md": "x",
      "second.js": "export default ({ steps }) => ({ before: steps.first });",
      "broken/Dockerfile": "FROM scratch\nNONSENSE",
    });
    await chmod(`${fixture.folder}/first/busybox`, 0o755);
    host = await startProject(
      await loadProject(fixture.folder),
      `${fixture.folder}/.millrace`,
      "auto",
      new Map([["TOKEN", secret]]),
    );
  });
  afterAll(async () => {
    await host?.close();
    await fixture?.dispose();
    await dockerd?.close();
    delete process.env["DOCKER_HOST"];
  });

  test("runs them beside others, and keeps which image it was", async () => {
    const run = await host.run({ name: "a/b", data: { broken: false } });
    expect(run.status).toBe("completed");
    expect(host.logged()).toEqual(["logged"]);
    const [first, second] = run.steps;
    const output = { got: expect.any(Number), last: expect.any(Number) };
    expect(first).toMatchObject({
      output,
      attempts: [{ logLines: 1, ran: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }],
    });
    expect(second?.output).toEqual({ before: first?.output });
    expect(first?.output).toMatchObject({ got: (first?.output as { last?: number } | undefined)?.last });
  });

  test("keeps the secrets of one out of all that is stored, told and made", async () => {
    const run = await host.run({ name: "a/b", data: { broken: false, secretive: true } });
    expect(run.steps.find(({ id }) => id === "secretive")).toMatchObject({
      status: "completed",
      output: "put out: [secret TOKEN]",
    });
    expect(host.logged()).toContain("to the log: [secret TOKEN]");
    expect(JSON.stringify([run, host.logged()])).not.toContain(secret);
    const engine = dockerd!.engine;
    const images = (await engine.call("GET", "/images/json")) as readonly { readonly Id: string }[];
    expect(images.length).toBeGreaterThan(0);
    for (const { Id } of images) {
      const made = [
        await engine.call("GET", `/images/${Id}/json`),
        await engine.call("GET", `/images/${Id}/history`),
      ];
      expect(JSON.stringify(made)).not.toContain(secret);
    }
    // What is left of an attempt could be inspected by others.
    const containers = () => engine.call("GET", "/containers/json", { query: { all: "1" } });
    await expect.poll(containers, { timeout: 30_000 }).toEqual([]);
  });

  test("fails at one that can't be built, for good and with what the engine said", async () => {
    const run = await host.run({ name: "a/b", data: { broken: true } });
    expect(run).toMatchObject({
      status: "failed",
      failure: { step: "broken", code: "ERR_IMAGE_BUILD", message: expect.stringContaining("NONSENSE") },
    });
    expect(run.steps.find(({ id }) => id === "broken")?.attempts).toHaveLength(1);
  });
});
