import * as nodeFs from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createV8Engine } from "../../../runtime/wasm/v8/engine.ts";
import { createEngine, skipped } from "../../runtime/wasm/wasmtime/engine.ts";
import { type CapableProject, capableProject } from "./capable-runner.ts";
import { type Deed, deeds } from "./file-deeds.ts";

/** Each deed is done in the guest and in Node, in an empty folder; what comes of it must be the same. */
const source = `
  import fs, * as named from "node:fs";
  import * as promises from "node:fs/promises";
  const deeds = {
    ${Object.entries(deeds)
      .map(([name, deed]) => `${JSON.stringify(name)}: ${String(deed)}`)
      .join(",\n")}
  };
  export default async ({ event: { data } }) => {
    const outcomes = [];
    for (const name of data) {
      const folder = named.mkdtempSync("/tmp/");
      outcomes.push(await outcome(() => deeds[name](fs, folder), folder));
    }
    outcomes.push(promises.readFile === fs.promises.readFile);
    return outcomes;
  };
  ${String(outcome)}
  ${String(told)}
  ${String(shown)}`;

const capabilities = { tmp: true } as const;
let project: CapableProject;

beforeAll(async () => {
  project = await capableProject({
    files: { source, capabilities },
    program: {
      capabilities,
      source: `
        import { readFileSync, writeFileSync, writeSync, existsSync } from "node:fs";
        const { event } = JSON.parse(readFileSync(0, "utf8"));
        writeFileSync("/tmp/a", "text");
        writeSync(2, "to stderr\\n");
        writeFileSync(1, JSON.stringify([event.name, readFileSync("/tmp/a").toString(), existsSync("/tmp/b")]));`,
    },
    web: {
      capabilities: { tmp: true, http: ["https://example.com"] },
      source: `
        import { readFileSync, writeFileSync } from "node:fs";
        export default async () => {
          writeFileSync("/tmp/a", "x");
          const failed = await fetch("http://127.0.0.1:9/").catch((error) => error.name);
          return [readFileSync("/tmp/a", "utf8"), failed];
        };`,
    },
  });
  expect(project.built.problems).toEqual([]);
}, 300_000);

afterAll(() => project?.dispose());

const engines = [
  { name: "v8", create: createV8Engine, left: false },
  { name: "wasmtime", create: createEngine, left: skipped },
] as const;

for (const { name, create, left } of engines) {
  describe.skipIf(left)(`node:fs of a step on ${name}`, () => {
    let runner: ReturnType<CapableProject["on"]>;
    beforeAll(() => {
      runner = project.on(create);
    });
    afterAll(() => runner.close());

    test.each(Object.entries(deeds))("does as Node's: %s", async (name, deed) => {
      const [guest, same] = (await runner.output("files", [name])) as [unknown, boolean];
      expect(guest).toEqual(await inNode(deed));
      expect(same).toBe(true);
    });

    test("has nothing outside of /tmp, and nothing of another attempt", async () => {
      const two = ["outside", "outside"];
      const outcomes = (await runner.output("files", two)) as unknown[];
      expect(outcomes.slice(0, 2)).toEqual([
        await inNode(deeds["outside"] as Deed),
        await inNode(deeds["outside"] as Deed),
      ]);
    });

    test("reads stdin and writes to stdout in a program, beside files", async () => {
      expect(await runner.run("program")).toEqual({
        ok: true,
        output: ["user/signed.up", "text", false],
        logs: [{ level: "info", message: "to stderr" }],
      });
    });

    test("goes with fetch", async () => {
      expect(await runner.output("web")).toEqual(["x", "TypeError"]);
    });
  });
}

async function inNode(deed: Deed): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-files-"));
  try {
    // As JSON has it.
    return JSON.parse(JSON.stringify(await outcome(() => deed(nodeFs, folder), folder))) as unknown;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What comes of a deed, without the folder's own name. */
async function outcome(run: () => unknown, folder: string): Promise<unknown> {
  try {
    return { value: shown(await run(), folder) };
  } catch (error) {
    return { thrown: told(error as Error, folder) };
  }
}

function told(error: Error & { code?: string; syscall?: string; errno?: number }, folder: string): unknown {
  const { message, code = "", syscall = "", errno = 0 } = error;
  return { message: message.replaceAll(folder, "<folder>"), code, syscall, errno };
}

function shown(value: unknown, folder: string): unknown {
  return JSON.parse((JSON.stringify(value) ?? "null").replaceAll(folder, "<folder>")) as unknown;
}
