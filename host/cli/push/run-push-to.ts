import { inspect } from "../../../runtime/wasm/component.ts";
import { buildProject, type BuiltFunction } from "../../build/build.ts";
import type { Artifact } from "../../build/packer.ts";
import {
  isRepositoryPart,
  type OciReference,
  ociReferenceText,
  parseOciReference,
} from "../../function/oci-reference.ts";
import { putArtifact } from "../../oci/artifact.ts";
import { tellProgress } from "../build-text.ts";
import type { PushOptions } from "../commands/push.ts";
import { CliError } from "../errors.ts";
import { catchInterrupts } from "../interrupt.ts";
import { openProject, projectError } from "../project.ts";
import type { Terminal } from "../terminal.ts";

/** A component, and where it goes. */
interface Destination {
  readonly functionId: string;
  readonly stepId: string;
  readonly artifact: Artifact;
  readonly reference: OciReference;
}

/** Builds a project and stores the components of its Wasm steps in an OCI registry; deploys nothing. */
export async function runPushTo(
  dir: string,
  to: string,
  { url, broker, dryRun = false }: PushOptions,
  terminal: Terminal,
): Promise<void> {
  if (url !== undefined || broker !== undefined) {
    throw new CliError(
      "ERR_USAGE",
      "--to stores components alone; --url and --broker are other ways to push.",
    );
  }
  const prefix = parseOciReference(to, { needsVersion: false });
  if ("message" in prefix) throw new CliError("ERR_USAGE", `--to can't be ${to}: ${prefix.message}.`);
  if (prefix.digest !== undefined) {
    throw new CliError("ERR_USAGE", "--to can't have a digest: that follows from what is pushed.");
  }
  const interrupt = catchInterrupts();
  try {
    const { signal } = interrupt;
    const project = await openProject(dir);
    const { functions, problems } = await buildProject(project, {
      signal,
      onProgress: tellProgress(terminal),
    });
    const all = [...project.problems, ...problems];
    if (all.length > 0) throw projectError(all);
    const pushed = [];
    for (const destination of destinations(functions, prefix)) {
      const reference = await put(destination, dryRun, signal);
      const { functionId, stepId } = destination;
      const text = ociReferenceText(reference);
      pushed.push({ function: functionId, step: stepId, reference: text });
      if (terminal.json) continue;
      const state = terminal.out("green", dryRun ? "would push" : "pushed");
      terminal.print(`${state}  ${functionId}/${stepId}  ${text}`);
    }
    if (terminal.json) terminal.printJson({ pushed, dryRun });
  } finally {
    interrupt.close();
  }
}

/** Repositories have small letters alone, so that two steps could come to share one. */
function destinations(functions: readonly BuiltFunction[], prefix: OciReference): readonly Destination[] {
  const taken = new Map<string, string>();
  const list = functions.flatMap(({ document, components }) =>
    Object.entries(components)
      .filter(([stepId]) => (document.steps[stepId]?.runtime?.type ?? "wasm") === "wasm")
      .map(([stepId, artifact]) => ({ functionId: document.id, stepId, artifact })),
  );
  return list.map(({ functionId, stepId, artifact }) => {
    const parts = [functionId, stepId].map((id) => id.toLowerCase());
    const name = `${functionId}/${stepId}`;
    const repository = [prefix.repository, ...parts].join("/");
    if (!parts.every(isRepositoryPart)) {
      throw new CliError("ERR_USAGE", `${name} can't be called so in a registry: ${repository}.`, {
        next: "Give the function and its step ids of letters and digits, with single . _ - between them.",
      });
    }
    const other = taken.get(repository);
    if (other !== undefined) {
      const message = `${other} and ${name} would be one in a registry, whose names have small letters alone.`;
      throw new CliError("ERR_USAGE", message, { next: "Rename one of the two." });
    }
    taken.set(repository, name);
    const { registry, tag = "latest" } = prefix;
    return { functionId, stepId, artifact, reference: { registry, repository, tag } };
  });
}

async function put(
  { artifact, reference }: Destination,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<OciReference> {
  const bytes = await artifact.bytes();
  if (dryRun) return reference;
  const inspection = inspect(bytes);
  const described = "code" in inspection ? { imports: [], exports: [] } : inspection;
  const isComponent = !("code" in inspection) && inspection.kind === "component";
  const { imports, exports } = described;
  return putArtifact(reference, { bytes, isComponent, imports, exports }, { signal });
}
