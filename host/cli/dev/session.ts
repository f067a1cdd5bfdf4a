import { existsSync } from "node:fs";
import { buildProject, type BuildProgress } from "../../build/build.ts";
import type { Project } from "../../build/project.ts";
import type { Problem } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { deployBuilt } from "../project.ts";

/** What taking up the project's files came to. */
export interface Reload {
  /** Ids of functions of which new runs begin on another version now. */
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  /** All that is wrong; what it concerns stays as it was. */
  readonly problems: readonly Problem[];
  readonly project: Project;
}

/** Brings a host up to date with a project's files. */
export interface Session {
  /** Builds and deploys. An abort while it builds leaves the host as it was. */
  reload(project: Project, signal: AbortSignal): Promise<Reload>;
  /** Whether a file that changed then (undefined: that is gone now) is taken for the work of a step's own command. */
  isOwn(changedAt: number | undefined): boolean;
}

/** How a session goes about it. */
export interface SessionOptions {
  /** Others use the store too: their functions and schemas are left alone. */
  readonly shared: boolean;
  readonly onProgress: (progress: BuildProgress) => void;
}

/** The host may still be opening: it is waited for when the build is done. */
export function createSession(host: Promise<Host>, { shared, onProgress }: SessionOptions): Session {
  /** The document's file of each function that was taken up. */
  const files = new Map<string, string>();
  /** The events whose schemas this session brought. */
  let ownSchemas: ReadonlySet<string> = new Set();

  const putSchemas = async (onHost: Host, { eventSchemas }: Project): Promise<void> => {
    if (!shared) return onHost.setEventSchemas(eventSchemas);
    const stored = await onHost.eventSchemas();
    const brought = Object.keys(eventSchemas).filter(
      (name) => ownSchemas.has(name) || !Object.hasOwn(stored, name),
    );
    const gone = [...ownSchemas].filter((name) => !Object.hasOwn(eventSchemas, name));
    const changes = { ...Object.fromEntries(gone.map((name) => [name, null])), ...eventSchemas };
    if (Object.keys(changes).length > 0) await onHost.addEventSchemas(changes);
    ownSchemas = new Set(brought);
  };

  const commands = watchCommands();

  return {
    isOwn: commands.isOwn,
    async reload(project, signal) {
      const built = await buildProject(project, {
        signal,
        onProgress: commands.noticing(project, onProgress),
      });
      const onHost = await host;
      signal.throwIfAborted();
      if (!project.problems.some(({ code }) => code === "ERR_SCHEMA_INVALID")) {
        await putSchemas(onHost, project);
      }
      const updated = await deployBuilt(onHost, built.functions, Date.now());
      for (const { document, file } of project.functions) files.set(document.id, file);
      const removed = onHost
        .functions()
        .map(({ functionId }) => functionId)
        .filter((id) => !shared || files.has(id))
        .filter((id) => isGone(id, files.get(id), project));
      for (const id of removed) {
        await onHost.remove(id);
        files.delete(id);
      }
      return { updated, removed, project, problems: [...project.problems, ...built.problems] };
    },
  };
}

/** Whether a function is no longer in the project; one whose document is broken just now still is. */
function isGone(id: string, file: string | undefined, { functions, problems }: Project): boolean {
  if (functions.some(({ document }) => document.id === id)) return false;
  const broken = problems.some(({ code }) => code !== "ERR_SCHEMA_INVALID");
  if (!broken) return true;
  // Which function a broken document was can only be told by its file.
  return file !== undefined && (!existsSync(file) || functions.some((other) => other.file === file));
}

/** When the commands of steps ran: what they write must not have them run again. */
function watchCommands() {
  const running = new Set<string>();
  let begun = 0;
  let ended = 0;
  return {
    isOwn(changedAt = Date.now()): boolean {
      return begun <= changedAt && (running.size > 0 || changedAt <= ended);
    },
    noticing(project: Project, tell: (progress: BuildProgress) => void): (progress: BuildProgress) => void {
      const sources = project.functions.flatMap((one) => [...one.sources.values()]);
      const files = new Set(
        sources.filter(({ kind }) => kind === "command").map(({ file }) => project.display(file)),
      );
      // An abort leaves no word of what was under way.
      running.clear();
      return (progress) => {
        const { file, state } = progress;
        if (files.has(file) && state === "started") {
          if (running.size === 0) begun = Date.now();
          running.add(file);
        } else if (running.delete(file)) ended = Date.now();
        tell(progress);
      };
    },
  };
}
