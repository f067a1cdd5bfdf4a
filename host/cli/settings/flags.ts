import type { Command } from "commander";
import type { NatsOptions } from "../../nats/options.ts";
import { resolveSettings, type Settings } from "./resolve.ts";
import { variableOf, type Setting } from "./setting.ts";
import { storeSettings } from "./table.ts";

/** Adds a flag for each setting. */
export function addSettings(command: Command, settings: readonly Setting[]): Command {
  for (const setting of settings) {
    const more = [
      ...(setting.choices === undefined ? [] : [setting.choices.join(", ")]),
      ...(setting.default === undefined ? [] : [`default: ${setting.default}`]),
    ];
    const rest = more.length === 0 ? "" : ` (${more.join("; ")})`;
    command.option(`--${setting.name} ${setting.argument}`, `${setting.description}${rest}`);
  }
  return command;
}

/** The store's settings but for its URL, which each command has a default of its own for. */
export const natsSettings: readonly Setting[] = storeSettings.filter(({ name }) => name !== "broker");

/** The settings of a store that flags and the environment give. */
export function storeSettingsOf(flags: object, env: NodeJS.ProcessEnv = process.env): Settings {
  const settings = storeSettings.map(({ name, kind, argument, description, ...rest }) => ({
    name,
    kind,
    argument,
    description,
    ...("secret" in rest ? { secret: rest.secret } : {}),
  }));
  return resolveSettings(settings, { flags: flags as Readonly<Record<string, unknown>>, env });
}

/** How NATS is reached, and laid out where the command has settings for that. */
export function natsOptions(settings: Settings): NatsOptions {
  const { text, number } = settings;
  const tls = defined({ ca: text("nats-ca"), cert: text("nats-cert"), key: text("nats-key") });
  return {
    ...defined({
      prefix: text("prefix"),
      creds: text("nats-creds"),
      nkey: text("nats-nkey"),
      user: text("nats-user"),
      password: text("nats-password"),
      token: text("nats-token"),
      replicas: number("replicas"),
      leaseMs: number("lease"),
      keepEventsMs: number("keep-events"),
      keepRunsMs: number("keep-runs"),
      maxEventBytes: number("max-event-bytes"),
    }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

/** Without what is undefined. */
export function defined<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** For the help: how a flag's name becomes that of its variable. */
export const settingsHelp = `Every setting is a flag (--keep-events), a variable of the environment (${variableOf(
  {
    name: "keep-events",
    kind: "duration",
    argument: "",
    description: "",
  },
)}) and a key of the file
that --config or MILLRACE_CONFIG names (keepEvents). Flags go before the environment, that before the file.`;
