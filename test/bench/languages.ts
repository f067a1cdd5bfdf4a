import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { buildProject } from "../../host/build/build.ts";
import type { Artifact } from "../../host/build/packer.ts";
import { loadProject, type Project } from "../../host/build/project.ts";
import { scaffold } from "../../host/build/scaffold.ts";
import type { StarterName } from "../../host/build/templates/starters.ts";
import { createDrivers } from "../../runtime/drivers.ts";
import { defaultLimits } from "../../runtime/limits.ts";
import type { EngineChoice } from "../../runtime/wasm/choice.ts";
import { loadBinding } from "../../runtime/wasm/wasmtime/load.ts";
import { canBuild, installToolchains } from "../host/build/find-toolchains.ts";
import { stepInput } from "../runtime/wasm/harness.ts";
import { type Figure, median } from "./figure.ts";
import { withFolder } from "./folder.ts";

/** Hosts that see the component for the first time, and attempts on the last of them. */
const hosts = 3;
const attempts = 60;

/** Against the first one that can be built here, all others are held. */
const order: readonly Exclude<StarterName, "js">[] = ["rust", "c", "zig", "go", "python", "ts"];

/** What was measured of the first step of a new project. */
interface Measured {
  readonly name: string;
  /** By what was measured, in its unit. */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * The first step of `millrace init --lang X`, as a program and typed: its size; the time to build it where nothing of it
 * is kept, and where all is; until its first output on a host that never saw it; and of an attempt from then on.
 */
export async function run(): Promise<readonly Figure[]> {
  for (const lack of installToolchains()) process.stderr.write(`left out: ${lack}\n`);
  const here = order.filter((name) => canBuild(name === "ts" ? "javascript" : name));
  const engines: readonly EngineChoice[] = loadBinding().ok ? ["v8", "wasmtime"] : ["v8"];
  const load = loadavg()[0] ?? 0;
  const all: Measured[] = [];
  for (const language of here) {
    for (const typed of [false, true]) {
      all.push(await measure(language, typed, engines));
      process.stderr.write(`${JSON.stringify(all.at(-1))}\n`);
    }
  }
  const settings = `${availableParallelism()} processors, load ${load.toFixed(1)} before and ${loadavg()[0]?.toFixed(1)} after`;
  const [base] = all;
  return all.flatMap(({ name, values }) =>
    Object.entries(values).map(([what, value]): Figure => {
      const theirs = base?.values[what];
      return {
        bench: "languages",
        figure: `${name}: ${what}`,
        value,
        unit: what === "size" ? "KiB" : "ms",
        better: "lower",
        settings,
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
    const project = await onlyGreet(folder);
    // What only the first build on a machine takes is not the language's: a template, a C library, crates to fetch.
    await built(project, join(folder, ".millrace/first"));
    const cold = await built(project, join(folder, ".millrace/second"));
    const again = await built(project, join(folder, ".millrace/second"));
    const { component } = cold;
    const values: Record<string, number> = {
      size: component.size / 1024,
      "build, cold": cold.ms,
      "build, cached": again.ms,
    };
    for (const engine of engines) {
      const times = await attemptTimes(component, engine, join(folder, engine));
      values[`cold on ${engine}`] = times.cold;
      values[`warm on ${engine}`] = times.warm;
    }
    return { name: `${language} ${typed ? "typed" : "program"}`, values };
  });
}

/** The project with its first step alone, so that no other is built at the same time. */
async function onlyGreet(folder: string): Promise<Project> {
  const project = await loadProject(folder);
  const functions = project.functions.map((one) => ({
    ...one,
    sources: new Map([...one.sources].filter(([step]) => step === "greet")),
  }));
  return { ...project, functions };
}

async function built(project: Project, cacheDir: string): Promise<{ component: Artifact; ms: number }> {
  const begun = performance.now();
  const { functions, problems } = await buildProject(project, { cacheDir });
  const ms = performance.now() - begun;
  const component = functions[0]?.components["greet"];
  if (component === undefined) throw new Error(JSON.stringify(problems));
  return { component, ms };
}

async function attemptTimes(component: Artifact, engine: EngineChoice, folder: string) {
  const bytes = await component.bytes();
  const cold: number[] = [];
  const warm: number[] = [];
  for (let host = 1; host <= hosts; host++) {
    const drivers = createDrivers({
      artifacts: async () => bytes,
      cacheDir: join(folder, String(host)),
      parallelism: 1,
      engine,
    });
    const attempt = async (): Promise<number> => {
      const begun = performance.now();
      const result = await drivers.get("wasm")?.execute({
        program: { runtime: { type: "wasm" }, sha256: component.sha256 },
        input: stepInput(),
        limits: defaultLimits,
      });
      if (result?.ok !== true) throw new Error(JSON.stringify(result));
      return performance.now() - begun;
    };
    try {
      cold.push(await attempt());
      for (let index = 0; host === hosts && index < attempts; index++) warm.push(await attempt());
    } finally {
      for (const driver of drivers.values()) await driver.close();
    }
  }
  // The first ones still compile.
  return { cold: median(cold), warm: median(warm.slice(attempts / 2)) };
}
