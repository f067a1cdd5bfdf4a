import { join } from "node:path";
import { buildProject } from "../../host/build/build.ts";
import { loadProject } from "../../host/build/project.ts";
import { scaffold } from "../../host/build/scaffold.ts";
import { type StarterName, starters, typedStarters } from "../../host/build/templates/starters.ts";
import { createDrivers } from "../../runtime/drivers.ts";
import type { StepInput } from "../../runtime/input.ts";
import { defaultLimits } from "../../runtime/limits.ts";
import { type EngineChoice } from "../../runtime/wasm/choice.ts";
import { loadBinding } from "../../runtime/wasm/wasmtime/load.ts";
import { canBuild, installToolchains } from "../host/build/find-toolchains.ts";
import { type Figure, median } from "./figure.ts";
import { withFolder } from "./folder.ts";

const attempts = 50;

/** What was measured of the first step of a new project. */
interface Measured {
  readonly name: string;
  /** By what was measured, in its unit. */
  readonly values: Readonly<Record<string, number>>;
}

const unitOf = (what: string): string => (what === "size" ? "KiB" : "ms");

/**
 * The first step of `millrace init --lang X`, as a program and typed: its size; the time to build it where nothing is
 * cached by Millrace; until its first output on a host that never saw it; and of an attempt from then on.
 */
export async function run(): Promise<readonly Figure[]> {
  for (const lack of installToolchains()) process.stderr.write(`left out: ${lack}\n`);
  const here = starters.filter((name) => canBuild(name === "js" || name === "ts" ? "javascript" : name));
  const engines: readonly EngineChoice[] = loadBinding().ok ? ["v8", "wasmtime"] : ["v8"];
  const all: Measured[] = [];
  for (const language of here.filter((name) => name !== "js")) {
    all.push(await measure(language, false, engines));
    if (typedStarters.includes(language)) all.push(await measure(language, true, engines));
  }
  const [base] = all;
  return all.flatMap(({ name, values }) =>
    Object.entries(values).map(([what, value]): Figure => {
      const theirs = base?.values[what];
      return {
        bench: "languages",
        figure: `${name}: ${what}`,
        value,
        unit: unitOf(what),
        better: "lower",
        ...(theirs === undefined || name === base?.name
          ? {}
          : { against: `a ${base?.name}`, ratio: value / theirs }),
      };
    }),
  );
}

async function measure(
  language: StarterName,
  typed: boolean,
  engines: readonly EngineChoice[],
): Promise<Measured> {
  return withFolder(async (folder) => {
    await scaffold(folder, { language, typed, trigger: "a/b", name: "x" });
    const project = await loadProject(folder);
    const functions = project.functions.map((one) => ({
      ...one,
      sources: new Map([...one.sources].filter(([step]) => step === "greet")),
    }));
    // What only the first build on a machine takes is not the language's: a template, a C library, crates.
    const first = await buildProject(
      { ...project, functions },
      { cacheDir: join(folder, ".millrace/first") },
    );
    if (first.problems.length > 0) throw new Error(JSON.stringify(first.problems));
    const begun = performance.now();
    const built = await buildProject(
      { ...project, functions },
      { cacheDir: join(folder, ".millrace/second") },
    );
    const build = performance.now() - begun;
    const component = built.functions[0]?.components["greet"];
    if (component === undefined) throw new Error(JSON.stringify(built.problems));
    const values: Record<string, number> = { size: component.size / 1024, build };
    for (const engine of engines) {
      const times = await attemptTimes(
        await component.bytes(),
        component.sha256,
        engine,
        join(folder, engine),
      );
      values[`cold on ${engine}`] = times.cold;
      values[`warm on ${engine}`] = times.warm;
    }
    return { name: `${language} ${typed ? "typed" : "program"}`, values };
  });
}

async function attemptTimes(bytes: Uint8Array, sha256: string, engine: EngineChoice, cacheDir: string) {
  const drivers = createDrivers({ artifacts: async () => bytes, cacheDir, parallelism: 1, engine });
  try {
    const driver = drivers.get("wasm");
    if (driver === undefined) throw new Error("there is no driver for Wasm");
    const program = { runtime: { type: "wasm" }, sha256 } as const;
    const attempt = async (): Promise<number> => {
      const begun = performance.now();
      const result = await driver.execute({ program, input: input(), limits: defaultLimits });
      if (!result.ok) throw new Error(JSON.stringify(result));
      return performance.now() - begun;
    };
    const cold = await attempt();
    const warm: number[] = [];
    for (let index = 0; index < attempts; index++) warm.push(await attempt());
    // The first ones still compile.
    return { cold, warm: median(warm.slice(attempts / 2)) };
  } finally {
    for (const driver of drivers.values()) await driver.close();
  }
}

function input(): StepInput {
  return {
    event: { id: "e", name: "a/b", data: { name: "Ada" }, ts: 0 },
    steps: {},
    ctx: {
      runId: "r",
      functionId: "f",
      functionVersion: "v",
      stepId: "greet",
      attempt: 1,
      deadline: Number.MAX_SAFE_INTEGER,
      idempotencyKey: "k",
    },
  };
}
