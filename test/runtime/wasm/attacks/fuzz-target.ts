import { readFileSync, writeSync } from "node:fs";
import { MillraceError } from "../../../../host/errors.ts";
import { parseEvents } from "../../../../host/event/batch.ts";
import { parseStructuredCloudEvent } from "../../../../host/event/cloudevents.ts";
import { compileEventSchemas } from "../../../../host/event/schemas.ts";
import { define, functionVersion } from "../../../../host/function/define.ts";
import { loadFunction } from "../../../../host/function/load.ts";
import type { Engine } from "../../../../runtime/wasm/engine.ts";
import { copyStdin, command, printing, program, typed } from "../components.ts";
import { binariesOnV8, binariesOnWasmtime } from "./fuzz-binaries.ts";
import { createDice, mutate, mutateText } from "./fuzz-cases.ts";

/** What a range of cases is run with. */
export interface FuzzRange {
  readonly engine: Engine["name"];
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  /** A file descriptor that gets a byte before each case, so that whoever watches knows which one hangs. */
  readonly progress: number;
}

const documents = [
  readFileSync(new URL("../../../../examples/order/function.json", import.meta.url), "utf8"),
  readFileSync(new URL("../../../../examples/welcome/function.json", import.meta.url), "utf8"),
  JSON.stringify({
    id: "f",
    triggers: [{ event: "a" }],
    steps: {
      a: {
        path: "file://./a.ts",
        limits: { tmp: "1MiB", http: { concurrent: 2, body: "1MiB" } },
        capabilities: {
          http: [
            "*.a.example",
            { host: "http://[::1]:80", private: true },
            { host: "b.example", ports: [1], methods: ["GET"] },
          ],
          secrets: { A: { hosts: ["x.a.example", "b.example:1"] }, B: {} },
          config: { a: "b" },
          kv: true,
          tmp: true,
        },
      },
      b: { path: "file://./b.ts", capabilities: { secrets: ["A"] } },
    },
  }),
];
const events = [
  '[{"name":"user/signed.up","data":{"plan":"free","n":[1,2.5,null]},"user":{"id":1},"id":"a","ts":1700000000000,"v":"1"}]',
  '{"specversion":"1.0","type":"user/signed.up","source":"/a","id":"1","time":"2026-01-01T00:00:00Z","data":{"a":1},"ext":"x"}',
  '[{"name":"a/b","data":{}},{"name":"c","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}]',
];

/** Runs the cases; throws for one that ends in something else than a result or a failure with its code. */
export async function runFuzz({ engine, seed, first, count, progress }: FuzzRange): Promise<void> {
  const seeds = (
    await Promise.all([
      printing("1"),
      program(copyStdin),
      typed("(call $ok (i32.const 4096) (i32.const 1))", { declarations: '(data (i32.const 4096) "1")' }),
      command("(call $put (i32.const 1) (i32.const 4096) (i32.const 1))"),
    ])
  ).map((bytes) => Buffer.from(bytes));
  const binaries = engine === "v8" ? binariesOnV8() : binariesOnWasmtime();
  const schemas = compileEventSchemas({});
  try {
    for (let number = first; number < first + count; number++) {
      writeSync(progress, ".");
      const dice = createDice(Math.imul(seed, 0x9e37_79b1) ^ number);
      const kind = number % 5;
      if (kind === 3) document(mutateText(documents, dice));
      else if (kind === 4) event(mutateText(events, dice), schemas);
      else await binaries.take(mutate(seeds, dice), number);
    }
  } finally {
    await binaries.close();
  }
}

function document(bytes: Buffer): void {
  const loaded = loadFunction(bytes, { file: "function.json" });
  if (!loaded.ok) {
    if (loaded.problems.length === 0) throw new Error("a document was refused without a problem");
    return;
  }
  // What is taken must be fit to run.
  define(functionVersion(loaded.document, {}, 0));
}

function event(bytes: Buffer, schemas: ReturnType<typeof compileEventSchemas>): void {
  let input: unknown;
  try {
    input = JSON.parse(bytes.toString("utf8"));
  } catch {
    return;
  }
  try {
    const cloud = parseStructuredCloudEvent(input);
    const inputs = Array.isArray(input) ? (input as unknown[]) : [cloud.ok ? cloud.input : input];
    JSON.stringify(parseEvents(inputs, { now: 0, random: () => 0.5, schemas }));
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
  }
}
