import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { MillraceError } from "../errors.ts";
import { eventNameRule, isEventName } from "../event/event-name.ts";
import {
  eventText,
  functionText,
  gitignoreText,
  packageText,
  type ProjectTexts,
  readmeText,
  schemaText,
  tsconfigText,
} from "./templates/project.ts";
import { type Starter, starter, type StarterName } from "./templates/starters.ts";

/** What a new project shall be. */
export interface ScaffoldOptions {
  readonly language: StarterName;
  /** Its first step exports the handler of the typed world, instead of being a program. */
  readonly typed?: boolean;
  /** The name of the event that starts its function. */
  readonly trigger: string;
  /** Its name, of which the function's id is made. */
  readonly name: string;
  /** Write into a folder that has files already, over those of the same names. */
  readonly force?: boolean;
}

/** What was made. */
export interface Scaffolded {
  readonly functionId: string;
  /** Relative to the folder, with forward slashes. */
  readonly files: readonly string[];
}

/**
 * Writes a project that runs at once. Throws ERR_SCAFFOLD_NOT_EMPTY for a folder with files in it, and
 * ERR_EVENT_INVALID for a trigger that can name no event, or no file of a schema.
 */
export async function scaffold(folder: string, options: ScaffoldOptions): Promise<Scaffolded> {
  const { language, trigger, typed = false, force = false } = options;
  const refusal = triggerRefusal(trigger);
  if (refusal !== undefined) throw new MillraceError("ERR_EVENT_INVALID", refusal);
  if (!force) await expectEmpty(folder);
  const steps = await starter(language, typed);
  const texts: ProjectTexts = {
    id: functionId(options.name),
    event: trigger,
    greet: steps.greet,
    count: steps.count,
    version: ownManifest().version,
    tools: typed && adapted.includes(language) ? toolsToAdapt() : {},
  };
  const files = filesOf(texts, steps, language === "ts");
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return { functionId: texts.id, files: files.map(([path]) => path) };
}

function filesOf(
  texts: ProjectTexts,
  steps: Starter,
  isTypescript: boolean,
): readonly (readonly [path: string, text: string])[] {
  return [
    ["function.json", functionText(texts)],
    ...steps.files,
    [`events/${texts.event}.json`, schemaText()],
    ["event.json", eventText(texts)],
    ["package.json", packageText(texts)],
    ...(isTypescript ? ([["tsconfig.json", tsconfigText()]] as const) : []),
    [".gitignore", gitignoreText],
    ["README.md", readmeText(texts)],
  ];
}

/** Why an event's name can't be a trigger with a schema of its own; a slash in it is a folder. */
function triggerRefusal(trigger: string): string | undefined {
  if (!isEventName(trigger)) return `${JSON.stringify(trigger)} can't name an event: ${eventNameRule}.`;
  const unsafe = trigger.split("/").some((part) => part === "" || /^\.|[\\:"<>|?]/.test(part));
  return unsafe ? `The schema of ${trigger} would have a file name that not every system takes.` : undefined;
}

async function expectEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  // A repository that was just begun counts as empty.
  const found = names.filter((name) => name !== ".git");
  if (found.length === 0) return;
  const listed = found.slice(0, 3).join(", ") + (found.length > 3 ? " …" : "");
  throw new MillraceError("ERR_SCAFFOLD_NOT_EMPTY", `${folder} is not empty: it has ${listed}.`);
}

function functionId(name: string): string {
  const id = name
    .normalize("NFKD")
    .replaceAll(/[^\w-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .replace(/-+$/, "")
    .slice(0, 128);
  return id === "" ? "hello" : id;
}

/** Languages whose compilers leave typed steps as core modules, of which the build makes components. */
const adapted: readonly StarterName[] = ["go", "c", "zig"];

function toolsToAdapt(): Readonly<Record<string, string>> {
  const name = "@bytecodealliance/jco-transpile";
  const version = ownManifest().peerDependencies[name];
  return version === undefined ? {} : { [name]: version };
}

interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

function ownManifest(): Manifest {
  return createRequire(import.meta.url)("millrace/package.json") as Manifest;
}
