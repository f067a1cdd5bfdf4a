import { relative, sep } from "node:path";

/** Tells of changes below a folder. */
export interface Watch extends AsyncDisposable {
  /** Ends it: aborts what is going on for a change, and waits for its end. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WatchOptions {
  readonly root: string;
  /** Files that changed after this moment and before the watch stood are told of too; milliseconds since 1970. */
  readonly since: number;
  /**
   * Called with the paths, relative to the root, once they have been quiet for a moment; never twice at once.
   * When something changes meanwhile the signal is aborted, and a rejection then makes these paths change again.
   */
  readonly onChange: (paths: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Whether a file that changed then (milliseconds since 1970; undefined: it is gone) is what a build has written. */
  readonly isOwn?: (changedAt: number | undefined) => boolean;
}

/** Editors write a file in several goes. */
const quietMs = 40;

/** What a build writes or never reads. */
const ignoredFolders = new Set(["node_modules", "dist", "target", "zig-out", "__pycache__"]);

/** Watches a project's sources and documents; resolves once every later change will be told of. */
export async function watchProject(options: WatchOptions): Promise<Watch> {
  const { root, since, onChange, onError, isOwn } = options;
  const { watch } = await import("chokidar");
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  let closed = false;

  const handle = async (signal: AbortSignal): Promise<void> => {
    const paths = [...changed].toSorted();
    changed.clear();
    try {
      await onChange(paths, signal);
    } catch (error) {
      if (!signal.aborted) return onError(error);
      for (const path of paths) changed.add(path);
    } finally {
      busy = undefined;
      tell();
    }
  };
  const tell = (): void => {
    if (closed || busy !== undefined || timer !== undefined || changed.size === 0) return;
    const abort = new AbortController();
    // `busy` is set before anything of the handling runs.
    const { promise, resolve } = Promise.withResolvers<void>();
    busy = { abort, done: promise };
    void handle(abort.signal).finally(resolve);
  };
  const note = (path: string): void => {
    changed.add(relative(root, path));
    busy?.abort.abort();
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      tell();
    }, quietMs);
  };

  const watcher = watch(root, {
    ignored: (path) => isIgnored(relative(root, path)),
    alwaysStat: true,
    ignorePermissionErrors: true,
  });
  let standing = false;
  watcher.on("all", (event, path, stats) => {
    if (event === "addDir" || event === "unlinkDir") return;
    // Until it stands it lists what is there; only what is newer than the build is a change.
    if (!standing && (stats?.mtimeMs ?? 0) < since) return;
    if (isOwn?.(stats?.mtimeMs) !== true) note(path);
  });
  watcher.on("error", onError);
  await new Promise<void>((resolve) => void watcher.once("ready", resolve));
  standing = true;

  return {
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      busy?.abort.abort();
      await watcher.close();
      await busy?.done;
    },
  };
}

/** What somebody writes this command's own lines to: each would be a change of which there is another line. */
const logs = /(?:\.log|[\\/]?nohup\.out)$/;

function isIgnored(path: string): boolean {
  if (logs.test(path)) return true;
  return path.split(sep).some((part) => ignoredFolders.has(part) || (part.startsWith(".") && part !== ".."));
}
