import { join } from "node:path";
import type { Host, HostConfig } from "../../index.ts";
import { tellProgress } from "../build-text.ts";
import type { DevOptions } from "../commands/dev.ts";
import { catchInterrupts } from "../interrupt.ts";
import { createLiveLog } from "../live-log.ts";
import { openProject, shown } from "../project.ts";
import { reportError } from "../report.ts";
import { projectSecrets } from "../secrets-option.ts";
import { natsOptions, storeSettingsOf } from "../settings/flags.ts";
import { aborted, checkKeys, listen } from "../serving.ts";
import { isNatsUrl } from "../../nats/options.ts";
import type { Terminal } from "../terminal.ts";
import { createSession, type Session } from "./session.ts";
import { tellReady, tellReload } from "./text.ts";
import type { Watch } from "./watch.ts";

/** How long attempts under way may go on once the host is told to stop, in milliseconds. */
const graceMs = 5_000;

/** Runs a project until Ctrl-C, SIGTERM or the end of whoever reads stdout. */
export async function runDev(dir: string, options: DevOptions, terminal: Terminal): Promise<void> {
  checkKeys(options);
  const interrupt = catchInterrupts();
  const stop = AbortSignal.any([interrupt.signal, terminal.closed]);
  const open = new AsyncDisposableStack();
  try {
    await start(dir, options, { terminal, stop, open });
    await aborted(stop);
    terminal.progress(terminal.err("dim", "stopping…"));
  } catch (error) {
    // Told to stop before it was ready.
    if (!stop.aborted) throw error;
  } finally {
    await open.disposeAsync();
  }
  if (terminal.json) terminal.printJson({ type: "stopped" });
}

interface Parts {
  readonly terminal: Terminal;
  readonly stop: AbortSignal;
  /** Takes what has to be closed. */
  readonly open: AsyncDisposableStack;
}

async function start(dir: string, options: DevOptions, { terminal, stop, open }: Parts): Promise<void> {
  const since = Date.now();
  const project = await openProject(dir);
  const folder = join(project.root, ".millrace");
  // Only a flag takes a project under development to a store that others may use.
  const settings = storeSettingsOf(options, { ...process.env, MILLRACE_BROKER: "" });
  const store = settings.text("broker") ?? `sqlite:${shown(join(folder, "dev.db"))}`;

  // What takes its time goes on at once: the host opens and the API loads while the steps are built.
  const broken = new AbortController();
  const nats = natsOptions(settings);
  const secrets = await projectSecrets(project.root, options.secrets, terminal);
  const cacheDir = join(folder, "cache");
  const ownUrl = Promise.withResolvers<string>();
  const { engine, fuel } = options;
  const counting = fuel === undefined ? {} : { fuel };
  const callbackUrl = ownUrl.promise;
  const opening = openHost({ store, nats, cacheDir, graceMs, engine, ...counting, secrets, callbackUrl });
  opening.catch((error: unknown) => broken.abort(error));
  open.defer(() => opening.then((host) => host.close(), ignore));
  const session = createSession(opening, {
    shared: isNatsUrl(store),
    onProgress: tellProgress(terminal),
  });
  const loading = session.reload(project, AbortSignal.any([stop, broken.signal]));
  open.defer(() => loading.then(ignore, ignore));
  const [host, reload, { createApi }] = await Promise.all([opening, loading, import("../../api/server.ts")]);

  followLive(host, terminal);
  if (options.watch) open.use(await watch(project.root, since, session, terminal));
  const api = await createApi(host, {
    eventKeys: options.key === undefined ? "any" : [options.key],
    log: ({ code, message, error }) =>
      terminal.note(`${terminal.err("red", code)} ${terminal.verbose ? error : message}`),
    ...(options.apiKey === undefined ? {} : { apiKeys: [options.apiKey] }),
  });
  open.defer(() => api.close());
  const { url } = await listen(api, options);
  ownUrl.resolve(url);
  await tellReady({ url, key: options.key ?? "dev", store, watch: options.watch, host, reload }, terminal);
}

async function watch(root: string, since: number, session: Session, terminal: Terminal): Promise<Watch> {
  const { watchProject } = await import("./watch.ts");
  const { loadProject } = await import("../../build/project.ts");
  return watchProject({
    root,
    since,
    isOwn: (changedAt) => session.isOwn(changedAt),
    onError: (error) => void reportError(error, terminal),
    async onChange(_paths, signal) {
      const begun = performance.now();
      const reload = await session.reload(await loadProject(shown(root)), signal);
      tellReload(reload, performance.now() - begun, terminal);
    },
  });
}

function ignore(): void {}

async function openHost(config: HostConfig): Promise<Host> {
  const { createHost } = await import("../../index.ts");
  return createHost(config);
}

function followLive(host: Host, terminal: Terminal): void {
  const log = createLiveLog(terminal);
  host.live.subscribe((message) => {
    if (terminal.json) terminal.printJson(message);
    else for (const line of log.lines(message)) terminal.print(line);
  });
}
