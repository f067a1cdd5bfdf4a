import { readFile, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { buildProject } from "../../host/build/build.ts";
import type { Artifact } from "../../host/build/packer.ts";
import { loadProject, type Project } from "../../host/build/project.ts";
import { scaffold } from "../../host/build/scaffold.ts";
import type { StarterName } from "../../host/build/templates/starters.ts";
import type { LanguageName } from "../../host/function/language.ts";
import { installComponentizeJs } from "../host/build/find-componentize-js.ts";
import { canBuild, installToolchains } from "../host/build/find-toolchains.ts";
import { attemptTimes, engines } from "./attempt-times.ts";
import { type Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";

const bench = "languages";

/** What a step is written in; all are held against the first one that can be built here. */
interface Contender {
  readonly name: string;
  readonly language: LanguageName;
  readonly starter: StarterName;
  /** The folder of packages that has what builds it. */
  readonly packages?: () => string;
}

const contenders: readonly Contender[] = [
  { name: "Rust", language: "rust", starter: "rust" },
  { name: "C", language: "c", starter: "c" },
  { name: "Zig", language: "zig", starter: "zig" },
  { name: "Go", language: "go", starter: "go" },
  { name: "Python", language: "python", starter: "python" },
  { name: "TypeScript on QuickJS", language: "javascript", starter: "ts" },
  {
    name: "TypeScript on StarlingMonkey",
    language: "javascript",
    starter: "ts",
    packages: installComponentizeJs,
  },
];

/** The new project's first step in TypeScript is a function; this is the same as a program. */
const program = `const { event, ctx } = JSON.parse(process.argv[2]);
console.error(\`greeting \${event.data.name}, attempt \${ctx.attempt}\`);
console.log(JSON.stringify({ text: \`Hello, \${event.data.name ?? "world"}!\` }));
`;

/** A component, and what building it took in milliseconds. */
interface Built {
  readonly component: Artifact;
  readonly cold: number;
  readonly cached: number;
}

/**
 * The first step of `millrace init --lang X`, as a program and typed: its size; the time to build it where nothing of it
 * is kept, and where all is; until its first output on a host that never saw it; and of an attempt from then on.
 */
export async function run(): Promise<readonly Figure[]> {
  for (const lack of installToolchains()) process.stderr.write(`left out: ${lack}\n`);
  const before = loadavg()[0]?.toFixed(1);
  const figures: Figure[] = [];
  let base: { readonly name: string; readonly built: Built } | undefined;
  for (const contender of contenders.filter(({ language }) => canBuild(language))) {
    for (const typed of [false, true]) {
      const name = `${contender.name}, ${typed ? "typed" : "program"}`;
      const built = await build(contender, typed);
      base ??= { name, built };
      const lines = await measure(name, built, base);
      process.stderr.write(
        `${lines.map(({ figure, value }) => `${figure} ${value.toFixed(2)}`).join("\n")}\n`,
      );
      figures.push(...lines);
    }
  }
  const settings = `${availableParallelism()} processors, load ${before} before and ${loadavg()[0]?.toFixed(1)} after`;
  return figures.map((figure) => ({ ...figure, settings }));
}

async function measure(
  name: string,
  { component, cold, cached }: Built,
  base: { readonly name: string; readonly built: Built },
): Promise<readonly Figure[]> {
  const figure = (what: string, value: number, theirs: number): Figure => ({
    bench,
    figure: `${name}: ${what}`,
    value,
    unit: what === "size" ? "KiB" : "ms",
    better: "lower",
    ...(name !== base.name && { against: base.name, ratio: value / theirs }),
  });
  const lines = [
    figure("size", component.size / 1024, base.built.component.size / 1024),
    figure("build", cold, base.built.cold),
    figure("build, unchanged", cached, base.built.cached),
  ];
  for (const engine of engines()) {
    const [ours, theirs] = await attemptTimes([component, base.built.component], engine);
    if (ours === undefined || theirs === undefined) continue;
    lines.push(
      figure(`first attempt on ${engine}`, ours.first, theirs.first),
      figure(`attempt on ${engine}`, ours.later, theirs.later),
    );
  }
  return lines;
}

async function build({ starter, packages }: Contender, typed: boolean): Promise<Built> {
  return withFolder(async (folder) => {
    await scaffold(folder, { language: starter, typed, trigger: "a/b", name: "x" });
    if (starter === "ts" && !typed) await writeFile(join(folder, "steps/greet.ts"), program);
    if (packages !== undefined) await onStarlingMonkey(folder, packages());
    const project = await onlyGreet(folder);
    // What only the first build on a machine takes is not the language's: a template, a C library, crates to fetch.
    await timed(project, join(folder, ".millrace/first"));
    const cold = await timed(project, join(folder, ".millrace/second"));
    const again = await timed(project, join(folder, ".millrace/second"));
    const bytes = await cold.component.bytes();
    // Its file is gone with the folder.
    const component = { ...cold.component, bytes: async () => bytes };
    return { component, cold: cold.ms, cached: again.ms };
  });
}

async function onStarlingMonkey(folder: string, packages: string): Promise<void> {
  const file = join(folder, "function.json");
  const document = JSON.parse(await readFile(file, "utf8")) as { steps: { greet: object } };
  Object.assign(document.steps.greet, { runtime: { type: "wasm", interpreter: "starlingmonkey" } });
  await writeFile(file, JSON.stringify(document));
  await symlink(packages, join(folder, "node_modules"));
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

async function timed(project: Project, cacheDir: string): Promise<{ component: Artifact; ms: number }> {
  const begun = performance.now();
  const { functions, problems } = await buildProject(project, { cacheDir });
  const ms = performance.now() - begun;
  const component = functions[0]?.components["greet"];
  if (component === undefined) throw new Error(JSON.stringify(problems));
  return { component, ms };
}
