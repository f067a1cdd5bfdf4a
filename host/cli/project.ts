import { stat } from "node:fs/promises";
import { relative } from "node:path";
import type { BuiltFunction } from "../build/build.ts";
import type { Project } from "../build/project.ts";
import { hostErrors, MillraceError, type HostErrorCode, type Problem } from "../errors.ts";
import { functionVersion } from "../function/define.ts";
import type { FunctionVersion, PinnedOptions } from "../function/version.ts";
import type { Host } from "../host.ts";
import { CliError } from "./errors.ts";

/** Loads the project that a folder is in, its files named as from the working folder. Throws ERR_INPUT_FILE and ERR_PROJECT_EMPTY. */
export async function openProject(folder: string): Promise<Project> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    const what = found === undefined ? "there is no such folder" : "it is not a folder";
    throw new CliError("ERR_INPUT_FILE", `${folder} can't be read: ${what}.`, {
      next: "Give the folder of the project.",
    });
  }
  const { findProject, loadProject } = await import("../build/project.ts");
  const root = await findProject(folder);
  const project = await loadProject(shown(root));
  if (project.functions.length > 0 || project.problems.length > 0) return project;
  throw new CliError(
    "ERR_PROJECT_EMPTY",
    `${shown(root)} holds no function document: no function.json, no *.function.json.`,
  );
}

/** A path as the user would write it here. */
export function shown(path: string): string {
  const here = relative(process.cwd(), path);
  return here === "" ? "." : here.startsWith("..") ? path : here;
}

/** The error that tells of problems in a project's files. */
export function projectError(problems: readonly Problem[]): CliError | MillraceError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  const codes = new Set(problems.map(({ code }) => code));
  // Where nothing that the user wrote is at fault, the host's own error says so.
  if (codes.size === 1 && codes.has("ERR_BUILD_BROKEN")) {
    return new MillraceError("ERR_BUILD_BROKEN", `The project has ${count}.`, { problems });
  }
  const [only] = codes.size === 1 ? codes : [];
  const next = only === undefined ? undefined : nextOf(only);
  return new CliError("ERR_PROJECT_INVALID", `The project has ${count}.`, {
    problems,
    ...(next === undefined ? {} : { next }),
  });
}

function nextOf(code: string): string | undefined {
  return Object.hasOwn(hostErrors, code) ? hostErrors[code as HostErrorCode].next : undefined;
}

/** The version that a function has as it was built, and as steps of it were published. `now`: milliseconds since 1970. */
export function versionOf(
  { document, components }: BuiltFunction,
  now: number,
  pinned?: PinnedOptions,
): FunctionVersion {
  const digests = Object.entries(components).map(([step, { sha256 }]) => [step, sha256] as const);
  return functionVersion(document, Object.fromEntries(digests), now, pinned);
}

/** Stores these functions and their components on a host, but for those that are active as they are; returns the ids of the others. */
export async function deployBuilt(
  host: Host,
  functions: readonly BuiltFunction[],
  now: number,
): Promise<readonly string[]> {
  const active = new Map(host.functions().map(({ functionId, version }) => [functionId, version]));
  const changed: FunctionVersion[] = [];
  for (const built of functions) {
    const version = versionOf(built, now);
    if (active.get(version.functionId) === version.version) continue;
    for (const component of Object.values(built.components)) await host.putArtifact(await component.bytes());
    changed.push(version);
  }
  if (changed.length > 0) await host.deploy(changed);
  return changed.map(({ functionId }) => functionId);
}
