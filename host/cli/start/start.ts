import type { Api } from "../../api/server.ts";
import type { TlsKeys } from "../../api/one-port.ts";
import type { Host, HostConfig } from "../../index.ts";
import type { StartOptions } from "../commands/start.ts";
import { CliError } from "../errors.ts";
import { readInputFile } from "../input-file.ts";
import { catchInterrupts } from "../interrupt.ts";
import { aborted, checkKeys, listen } from "../serving.ts";
import { defined, natsOptions } from "../settings/flags.ts";
import { resolveSettings, type Settings } from "../settings/resolve.ts";
import { readSecrets } from "../settings/secrets-file.ts";
import { hostSettings } from "../settings/table.ts";
import type { Terminal } from "../terminal.ts";
import { createStartLog } from "./log.ts";
import { printSettings } from "./print-settings.ts";

/** What closing may take beyond the grace, in milliseconds. */
const closingMs = 15_000;

/** Runs a host until SIGTERM or Ctrl-C. */
export async function startHost(options: StartOptions, terminal: Terminal): Promise<void> {
  const settings = await readSettings(options);
  if (options.printConfig === true) return printSettings(settings, terminal);
  const address = {
    host: settings.text("host") ?? "",
    port: settings.number("port") ?? 0,
    key: settings.list("key"),
    apiKey: settings.list("api-key"),
  };
  checkKeys(address);
  const tls = await tlsKeys(settings);
  const interrupt = catchInterrupts();
  const [{ createHost }, { createApi }] = await Promise.all([
    import("../../index.ts"),
    import("../../api/server.ts"),
  ]);
  const log = createStartLog(terminal);
  const { secrets, warnings } = await readSecrets(settings.text("secrets"), process.env);
  for (const warning of warnings) terminal.note(`${terminal.err("yellow", "warning")} ${warning}`);
  const host = await createHost({
    ...hostConfig(settings),
    ...defined({ policy: await policyOf(settings) }),
    secrets,
  });
  const notices = log.follow(host);
  let api: Api | undefined;
  try {
    api = await createApi(host, {
      eventKeys: address.key ?? "any",
      log: log.failure,
      ...defined({ apiKeys: address.apiKey, tls }),
    });
    const { url } = await listen(api, address);
    log.ready({ url, host });
    await aborted(interrupt.signal);
    log.stopping();
  } finally {
    // The API goes on answering that the host is stopping, for as long as it is.
    await close(host, settings.number("grace") ?? 0);
    notices.close();
    await api?.close();
  }
  log.stopped();
}

async function readSettings({ config, ...flags }: StartOptions): Promise<Settings> {
  const { env } = process;
  const name = config ?? (env["MILLRACE_CONFIG"] || undefined);
  if (name === undefined) return resolveSettings(hostSettings, { flags, env });
  const { readConfigFile } = await import("../settings/config-file.ts");
  const file = { name, settings: await readConfigFile(name, hostSettings) };
  return resolveSettings(hostSettings, { flags, env, file });
}

function hostConfig(settings: Settings): HostConfig {
  const { text, number, list } = settings;
  return {
    store: text("broker") ?? "",
    nats: natsOptions(settings),
    ...defined({
      name: text("name"),
      cacheDir: text("cache"),
      fuel: number("fuel"),
      parallelism: number("parallelism"),
      maxRuns: number("max-runs"),
      graceMs: number("grace"),
      // The table's choices are these names.
      runtimes: list("runtimes") as HostConfig["runtimes"],
      engine: text("engine") as HostConfig["engine"],
      callbackUrl: text("callback-url"),
    }),
  };
}

async function policyOf({ text }: Settings): Promise<HostConfig["policy"]> {
  const file = text("policy");
  if (file === undefined) return undefined;
  const { readPolicyFile } = await import("../settings/policy-file.ts");
  return readPolicyFile(file);
}

async function tlsKeys({ text }: Settings): Promise<TlsKeys | undefined> {
  const [cert, key] = [text("tls-cert"), text("tls-key")];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new CliError("ERR_USAGE", "HTTPS needs both --tls-cert and --tls-key.");
  return { cert: await readInputFile(cert), key: await readInputFile(key) };
}

/** Throws ERR_STOP_TIMEOUT. */
async function close(host: Host, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new CliError("ERR_STOP_TIMEOUT", "The host could not be stopped in time.")),
      graceMs + closingMs,
    );
  });
  await Promise.race([host.close(), late]).finally(() => clearTimeout(timer));
}
