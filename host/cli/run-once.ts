import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildProject, type BuiltFunction } from "../build/build.ts";
import type { Project, ProjectFunction } from "../build/project.ts";
import { systemClock } from "../clock.ts";
import type { Problem } from "../errors.ts";
import { parseEvent, type Event } from "../event/event.ts";
import { compileEventSchemas } from "../event/schemas.ts";
import { define } from "../function/define.ts";
import { triggerEvent } from "../function/document.ts";
import { createHost, MillraceError, type Host } from "../index.ts";
import { nearest } from "../nearest.ts";
import type { StoredRun } from "../state/state.ts";
import { tellProgress } from "./build-text.ts";
import type { RunOptions } from "./commands/run.ts";
import { CliError, exitCodes } from "./errors.ts";
import { isObject, readJson } from "./event-source.ts";
import { catchInterrupts } from "./interrupt.ts";
import { createLiveLog } from "./live-log.ts";
import { deployBuilt, openProject, projectError, shown, versionOf } from "./project.ts";
import { projectSecrets } from "./secrets-option.ts";
import { runReport, runReportLines } from "./run-report.ts";
import type { Terminal } from "./terminal.ts";
import { refusals } from "./trigger-check.ts";

/** Runs one function for one event on a store in memory; resolves to the exit code. */
export async function runOnce(functionId: string, options: RunOptions, terminal: Terminal): Promise<number> {
  const project = await openProject(options.project);
  const found = functionOf(project, functionId);
  const events = await eventsFor(found, options, project, terminal);
  const [event] = events;
  const interrupt = catchInterrupts();
  try {
    const { functions, problems } = await buildProject(
      { ...project, functions: withInvoked(found, project.functions) },
      { signal: interrupt.signal, onProgress: tellProgress(terminal) },
    );
    const { seed } = options;
    const all = functions.map((one) => {
      const own = seed === undefined ? one : seeded(one, seed);
      return own.document.id === functionId ? atOnce(own, events.length) : own;
    });
    const built = all.find(({ document }) => document.id === functionId);
    if (built === undefined || problems.length > 0) throw projectError(problems);
    const definition = define(versionOf(built, event.ts));
    for (const each of events) checkTriggers(definition, each);
    const host = await createHost({
      store: "memory:",
      cacheDir: join(project.root, ".millrace", "cache"),
      engine: options.engine,
      ...(options.fuel !== undefined && { fuel: options.fuel }),
      secrets: await projectSecrets(project.root, options.secrets, terminal),
    });
    try {
      await deployBuilt(host, all, event.ts);
      const run = await follow(host, events, terminal, interrupt.signal);
      if (terminal.interactive) for (const line of runReportLines(run, terminal.out)) terminal.print(line);
      else terminal.printJson(runReport(run));
      return run.status === "completed" ? exitCodes.ok : exitCodes.failed;
    } finally {
      await host.close();
    }
  } finally {
    interrupt.close();
  }
}

/** A function with all that its steps invoke, and the steps of those. */
function withInvoked(
  first: ProjectFunction,
  functions: readonly ProjectFunction[],
): readonly ProjectFunction[] {
  const found = new Set([first]);
  for (const { document } of found) {
    const ids = Object.values(document.steps).flatMap(({ invoke }) => invoke?.function ?? []);
    for (const one of functions) if (ids.includes(one.document.id)) found.add(one);
  }
  return [...found];
}

async function follow(
  host: Host,
  events: readonly [Event, ...Event[]],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<StoredRun> {
  const begun = Promise.withResolvers<string>();
  signal.addEventListener("abort", () => begun.reject(signal.reason as Error), { once: true });
  const log = createLiveLog(terminal, terminal.err);
  const unsubscribe = host.live.subscribe((message) => {
    for (const line of log.lines(message)) terminal.note(line);
    // The function is the only one, and has one run.
    if (message.type === "history") begun.resolve(message.runId);
  });
  try {
    await host.publish(events);
    return await host.finished(await begun.promise, signal);
  } finally {
    unsubscribe();
  }
}

function functionOf(project: Project, functionId: string): ProjectFunction {
  const found = project.functions.find(({ document }) => document.id === functionId);
  if (found !== undefined) return found;
  // It may be the one whose document can't be read.
  const documents = project.problems.filter(({ code }) => code !== "ERR_SCHEMA_INVALID");
  if (documents.length > 0) throw projectError(documents);
  const ids = project.functions.map(({ document }) => document.id);
  const close = nearest(functionId, ids);
  const hint = close === undefined ? `It has ${ids.join(", ")}.` : `Did you mean ${close}?`;
  throw new CliError(
    "ERR_PROJECT_FUNCTION",
    `The project ${shown(project.root)} has no function ${JSON.stringify(functionId)}. ${hint}`,
  );
}

async function eventsFor(
  { document, file }: ProjectFunction,
  { event: source, seed }: Pick<RunOptions, "event" | "seed">,
  project: Project,
  terminal: Terminal,
): Promise<readonly [Event, ...Event[]]> {
  const schemaProblems = project.problems.filter(({ code }) => code === "ERR_SCHEMA_INVALID");
  if (schemaProblems.length > 0) throw projectError(schemaProblems);
  const from = source ?? (await besideDocument(file));
  if (source === undefined) terminal.progress(terminal.err("dim", `event: ${from ?? "{}"}`));
  const given = from === undefined ? {} : await readJson(from);
  const [trigger] = document.triggers;
  const name = trigger === undefined ? undefined : triggerEvent(document.id, trigger);
  const reading = {
    now: seed === undefined ? systemClock.now() : seededStart,
    random: seed === undefined ? Math.random : seededRandom(seed),
    schemas: compileEventSchemas(project.eventSchemas),
  };
  const read = (each: unknown): Event => {
    const input = isObject(each) && each["name"] === undefined ? { ...each, name } : each;
    const parsed = parseEvent(input, reading);
    if (parsed.ok) return parsed.event;
    throw invalidEvent(parsed.problems);
  };
  const [first, ...rest] = document.batch !== undefined && Array.isArray(given) ? given : [given];
  return [read(first), ...rest.map(read)];
}

/** The event that a document's author keeps for trying it. */
async function besideDocument(document: string): Promise<string | undefined> {
  const file = join(dirname(document), "event.json");
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true ? shown(file) : undefined;
}

function invalidEvent(problems: readonly Problem[]): MillraceError {
  const code = problems.every((problem) => problem.code === "ERR_EVENT_SCHEMA")
    ? "ERR_EVENT_SCHEMA"
    : "ERR_EVENT_INVALID";
  return new MillraceError(code, "The event can't be used.", { problems });
}

/** The time of an event that a seed makes: 2000-01-01T00:00:00Z. */
const seededStart = 946_684_800_000;

/** Numbers from 0 to 1 that only the seed decides. */
function seededRandom(seed: string): () => number {
  let count = 0;
  return () => createHash("sha256").update(`${seed} ${count++}`).digest().readUInt32LE() / 2 ** 32;
}

/** The function with a batch of all the events, or what it does with one: it begins at once. */
function atOnce(built: BuiltFunction, events: number): BuiltFunction {
  const { batch, debounce: _, ...document } = built.document;
  if (batch === undefined) return { ...built, document };
  return { ...built, document: { ...document, batch: { maxSize: events, timeout: "1m" } } };
}

/** The function with this seed at each step of runtime wasm that has none. */
function seeded(built: BuiltFunction, seed: string): BuiltFunction {
  const steps = Object.entries(built.document.steps).map(([id, step]) => {
    const isWasm = step.invoke === undefined && (step.runtime?.type ?? "wasm") === "wasm";
    return [id, isWasm ? { ...step, capabilities: { seed, ...step.capabilities } } : step] as const;
  });
  return { ...built, document: { ...built.document, steps: Object.fromEntries(steps) } };
}

function checkTriggers(definition: ReturnType<typeof define>, event: Event): void {
  const reasons = refusals(definition, event);
  if (reasons === undefined) return;
  throw new CliError(
    "ERR_NOT_TRIGGERED",
    `No trigger of ${definition.id} takes the event: ${reasons.join("; ")}.`,
  );
}
