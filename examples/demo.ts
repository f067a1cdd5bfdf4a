/* Builds every example, sends each one its event over HTTP, and checks what came of it. Run it with `npm run demo`. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createApi } from "../host/api/server.ts";
import { buildProject } from "../host/build/build.ts";
import { loadProject, type ProjectFunction } from "../host/build/project.ts";
import { tellProgress } from "../host/cli/build-text.ts";
import { createLiveLog } from "../host/cli/live-log.ts";
import { deployBuilt } from "../host/cli/project.ts";
import { problemLines } from "../host/cli/report.ts";
import { createTerminal } from "../host/cli/terminal.ts";
import { span } from "../host/cli/time.ts";
import type { Problem } from "../host/errors.ts";
import type { RunDetail } from "../host/run/view.ts";
import { createHost, type Host } from "../host/index.ts";
import type { Json } from "../runtime/json.ts";
import { serveApis } from "./local-apis.ts";

/** An example's expected.json. */
interface Expected {
  readonly status: string;
  readonly outputs: Readonly<Record<string, Json>>;
  /** Attempts by step. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly skipped?: readonly string[];
}

/** Addresses by which a person answers: another one in every run. */
const links = /http:\/\/127\.0\.0\.1:\d+\/[^\s"]+/;

/** The demo as a whole may take this long, in milliseconds. */
const patience = 600_000;

const terminal = createTerminal({ json: false, verbose: false });
const { out, print } = terminal;

async function main(): Promise<boolean> {
  const folder = relative(process.cwd(), import.meta.dirname) || ".";
  const loaded = await loadProject(folder);
  if (loaded.problems.length > 0) return tellProblems(loaded.problems);

  const temporary = await mkdtemp(join(tmpdir(), "millrace-demo-"));
  const store = `sqlite:${join(temporary, "demo.db")}`;
  const { project, secrets, close } = await serveApis(loaded);
  const { promise: callbackUrl, resolve: listening } = Promise.withResolvers<string>();
  const cacheDir = join(project.root, ".millrace", "cache");
  const host = await createHost({ store, cacheDir, secrets, callbackUrl });
  const api = await createApi(host, { eventKeys: ["demo"] });
  try {
    const { url } = await api.listen({ port: 0 });
    listening(url);
    print(`${out("bold", "host")} at ${url} on ${store}`);
    await host.setEventSchemas(project.eventSchemas);
    const log = createLiveLog(terminal);
    host.live.subscribe((message) => {
      for (const line of log.lines(message)) print(line);
    });

    const signal = AbortSignal.timeout(patience);
    const runs: Promise<boolean>[] = [];
    const leftOut: string[] = [];
    const here = project.functions.filter((one) => runtimesElsewhere(one).length === 0);
    for (const one of project.functions) {
      const needed = runtimesElsewhere(one).join(", ");
      const name = basename(dirname(one.file));
      if (needed !== "")
        print(`${out("bold", name)} needs ${needed}: see ${join(folder, name, "README.md")}`);
    }
    for (const example of here) {
      // One example is built while the one before it runs.
      const built = await buildProject(
        { ...project, functions: [example] },
        { signal, onProgress: tellProgress(terminal, { cached: true }) },
      );
      if (built.problems.length > 0 && built.problems.every(isLack)) {
        leftOut.push(example.document.id);
        tellProblems(built.problems);
        continue;
      }
      if (built.problems.length > 0) return tellProblems(built.problems);
      await deployBuilt(host, built.functions, Date.now());
      const run = tryExample(example, host, url, signal);
      // Awaited below, after the last one was built.
      run.catch(() => {});
      runs.push(run);
    }
    const results = await Promise.all(runs);
    if (leftOut.length > 0)
      print(`${out("yellow", "left out")} for want of a toolchain: ${leftOut.join(", ")}`);
    return project.functions.length === (await exampleFolders()) && results.every(Boolean);
  } finally {
    await api.close();
    await host.close();
    await close();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The runtimes of an example that are not to be had from Node alone. */
function runtimesElsewhere({ document }: ProjectFunction): readonly string[] {
  const types = Object.values(document.steps).map(({ runtime }) => runtime?.type ?? "wasm");
  return [...new Set(types)].filter((type) => type !== "wasm");
}

/** Whether an example can't be built only because this machine lacks the toolchain of a language. */
function isLack({ code }: Problem): boolean {
  return code === "ERR_BUILD_TOOLCHAIN_MISSING" || code === "ERR_BUILD_TOOLCHAIN_OLD";
}

/** Sends an example's event, waits for its run, and compares what it came to. */
async function tryExample(
  { document, file }: ProjectFunction,
  host: Host,
  url: string,
  signal: AbortSignal,
): Promise<boolean> {
  const folder = join(file, "..");
  const send = async (name: string): Promise<string> => {
    const response = await fetch(`${url}/e/demo`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: await readFile(join(folder, name)),
      signal,
    });
    const { ids, error } = (await response.json()) as {
      ids?: readonly string[];
      error?: { message: string };
    };
    const [first] = ids ?? [];
    if (first === undefined) throw new Error(`the event of ${document.id} was refused: ${error?.message}`);
    return first;
  };
  const eventId = await send("event.json");
  // What the run waits for, where it does.
  if (existsSync(join(folder, "then.json"))) await send("then.json");

  const id = await runOf(host, document.id, eventId, signal);
  const look = async (): Promise<RunDetail> =>
    (await (await fetch(`${url}/v1/runs/${id}`, { signal })).json()) as RunDetail;
  if (existsSync(join(folder, "answer.json"))) {
    // What a person would say to it, by the link that a step gave away.
    const link = await untilLink(look, signal);
    const body = await readFile(join(folder, "answer.json"));
    const { ok } = await fetch(link, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal,
    });
    if (!ok) throw new Error(`the answer to ${document.id} was refused`);
  }
  await host.finished(id, signal);
  const run = await look();
  const expected = JSON.parse(await readFile(join(folder, "expected.json"), "utf8")) as Expected;
  const differences = compare(run, expected);
  print("");
  print(`${out("bold", document.name ?? document.id)} ${out("dim", id)}`);
  for (const [step, output] of Object.entries(outputsOf(run))) print(`  ${step}: ${JSON.stringify(output)}`);
  if (differences.length === 0) print(`  ${out("green", "as expected")}`);
  for (const difference of differences) print(`  ${out("red", "not as expected:")} ${difference}`);
  print("");
  return differences.length === 0;
}

/** The run that a function has for an event: one of its own, or one that collects it with others. */
async function runOf(host: Host, functionId: string, eventId: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const { runs } = await host.runs.query({ functionId, eventId, limit: 1 });
    if (runs[0] !== undefined) return runs[0].id;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

/** The first link to this host in what the steps of a run put out. */
async function untilLink(look: () => Promise<RunDetail>, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const [found] = links.exec(JSON.stringify(outputsOf(await look()))) ?? [];
    if (found !== undefined) return found;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

function compare(run: RunDetail, expected: Expected): readonly string[] {
  const ran = run.steps.filter(({ attempts }) => attempts.length > 0);
  const actual: Expected = {
    status: run.status,
    outputs: JSON.parse(JSON.stringify(outputsOf(run)).replace(links, "<link>")) as Expected["outputs"],
    attempts: Object.fromEntries(ran.map(({ id, attempts }) => [id, attempts.length])),
    skipped: run.steps.filter(({ status }) => status === "skipped").map(({ id }) => id),
  };
  const wanted: Expected = { skipped: [], ...expected };
  const keys = ["status", "outputs", "attempts", "skipped"] as const;
  return keys
    .filter((key) => !isDeepStrictEqual(actual[key], wanted[key]))
    .map((key) => `${key} is ${JSON.stringify(actual[key])}, and should be ${JSON.stringify(wanted[key])}`);
}

function outputsOf({ steps }: RunDetail): Readonly<Record<string, Json>> {
  const completed = steps.filter(({ status }) => status === "completed");
  return Object.fromEntries(completed.map(({ id, output }) => [id, output ?? null]));
}

function tellProblems(problems: readonly Problem[]): false {
  for (const line of problems.flatMap((problem) => problemLines(problem, out))) print(line);
  return false;
}

/** Every folder here is an example: one in which no function was found is a failure too. */
async function exampleFolders(): Promise<number> {
  const entries = await readdir(import.meta.dirname, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).length;
}

const ok = await main();
const took = span(performance.now());
print(
  ok
    ? `${out("green", "All examples ran as they should")} in ${took}.`
    : out("red", `The demo failed after ${took}.`),
);
process.exitCode = ok ? 0 : 1;
