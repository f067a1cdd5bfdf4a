import { join } from "node:path";
import { expect, test } from "vitest";
import { component, program, typed } from "../../runtime/wasm/components.ts";
import { millrace } from "./cli-fixture.ts";
import { programFixture } from "./program-fixture.ts";
import { writeProject } from "./project-fixture.ts";

test("`inspect` shows what a component is, its imports and exports with versions, and its sizes", async () => {
  const cwd = await writeProject({
    "program.wasm": await program("(i32.const 0)", { pages: 3 }),
    "typed.wasm": await typed("(call $ok (i32.const 0) (i32.const 0))"),
    "command.wasm": programFixture({ stdout: "1" }),
  });
  const inspected = async (file: string): Promise<unknown> => {
    const { code, stdout } = await millrace(["inspect", file, "--json"], { cwd });
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  expect(await inspected("program.wasm")).toMatchObject({
    kind: "program component",
    imports: expect.arrayContaining([
      { name: "wasi:cli/environment@0.2.9", granted: "always", capabilities: ["env", "secrets"] },
      { name: "wasi:clocks/wall-clock@0.2.9", granted: "always", capabilities: ["seed"] },
      { name: "wasi:io/poll@0.2.9", granted: "always", capabilities: [] },
    ]),
    exports: ["wasi:cli/run@0.2.9"],
    memories: expect.arrayContaining([{ minimum: 3 * 65_536 }]),
  });
  expect(await inspected("typed.wasm")).toMatchObject({
    kind: "typed component",
    exports: expect.arrayContaining(["millrace:step/handler@0.1.0"]),
  });
  expect(await inspected("command.wasm")).toMatchObject({
    kind: "preview 1 command",
    imports: [
      {
        name: "wasi_snapshot_preview1",
        granted: "always",
        capabilities: ["env", "seed", "secrets", "tmp"],
      },
    ],
    exports: ["memory", "_start"],
    modules: 1,
    memories: [{ minimum: 2 * 65_536 }],
    tables: [],
  });
});

test("`inspect` says which imports are refused, and so does `build`, at the step", async () => {
  const document = {
    id: "shop",
    triggers: [{ event: "a" }],
    steps: { pay: { path: "file://./pay.wasm" } },
  };
  const cwd = await writeProject({
    "pay.wasm": await component(
      '(import "wasi:http/outgoing-handler@0.2.9" (instance)) (import "wasi:io/poll@0.2.9" (instance))',
    ),
    "function.json": JSON.stringify(document, undefined, 2),
  });
  const shown = await millrace(["inspect", "pay.wasm"], { cwd });
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^wasi:http\/outgoing-handler@0\.2\.9 +with http$/m);
  expect(shown.stdout).toMatch(/^wasi:io\/poll@0\.2\.9 +always$/m);
  expect(shown.stdout).toMatch(/^wasi:cli\/run@0\.2\.0$/m);
  const built = await millrace(["build", "--json"], { cwd });
  expect(built.code).toBe(2);
  expect(JSON.parse(built.stdout)).toMatchObject({
    error: {
      problems: [
        {
          code: "ERR_COMPONENT_IMPORT",
          message: expect.stringMatching(/^step pay of shop .*wasi:http\/outgoing-handler@0\.2\.9/),
          file: "function.json",
          pointer: "/steps/pay/path",
          line: 10,
        },
      ],
    },
  });
});

test("`inspect` of what can't be a step says why", async () => {
  const cwd = await writeProject({ "a.wasm": "(module)", "b.wasm": Buffer.from("0061736d01000000", "hex") });
  const text = await millrace(["inspect", "a.wasm"], { cwd });
  expect([text.code, text.stderr]).toEqual([2, expect.stringContaining("a.wasm: ERR_COMPONENT_INVALID: ")]);
  const library = await millrace(["inspect", join(cwd, "b.wasm")], { cwd });
  expect([library.code, library.stderr]).toEqual([2, expect.stringContaining("ERR_COMPONENT_EXPORT: ")]);
  const absent = await millrace(["inspect", "c.wasm"], { cwd });
  expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining("ERR_INPUT_FILE")]);
});
