import { CliError } from "../errors.ts";
import type { FileSetting } from "./config-file.ts";
import { keyOf, readSetting, variableOf, type Setting, type SettingValue } from "./setting.ts";
import type { SettingName } from "./table.ts";

/** One setting as it is in force. */
export interface Effective {
  readonly setting: Setting;
  readonly value: SettingValue | undefined;
  /** "--port", "MILLRACE_PORT", "millrace.json:3" or "default". */
  readonly from: string;
}

/** The settings in force. */
export interface Settings {
  text(name: SettingName): string | undefined;
  number(name: SettingName): number | undefined;
  list(name: SettingName): readonly string[] | undefined;
  readonly all: readonly Effective[];
}

/** Where settings can come from besides their defaults. */
export interface Sources {
  /** As commander parsed them. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  readonly file?: { readonly name: string; readonly settings: ReadonlyMap<string, FileSetting> };
}

/** Flags go before the environment, that before the file, that before the defaults. Throws ERR_USAGE and ERR_CONFIG_INVALID. */
export function resolveSettings(settings: readonly Setting[], sources: Sources): Settings {
  const all = settings.map((setting) => effective(setting, sources));
  const values = new Map(all.map(({ setting, value }) => [setting.name, value]));
  return {
    all,
    text(name) {
      const value = values.get(name);
      return typeof value === "string" ? value : undefined;
    },
    number(name) {
      const value = values.get(name);
      return typeof value === "number" ? value : undefined;
    },
    list(name) {
      const value = values.get(name);
      return typeof value === "object" ? value : undefined;
    },
  };
}

function effective(setting: Setting, { flags, env, file }: Sources): Effective {
  const flag = flags[keyOf(setting)];
  if (typeof flag === "string") return given(setting, flag, `--${setting.name}`, "ERR_USAGE");
  const variable = variableOf(setting);
  const fromEnv = env[variable];
  // Empty is how some supervisors write "not set".
  if (fromEnv !== undefined && fromEnv !== "") return given(setting, fromEnv, variable, "ERR_CONFIG_INVALID");
  const fromFile = file?.settings.get(setting.name);
  if (file !== undefined && fromFile !== undefined)
    return { setting, value: fromFile.value, from: `${file.name}:${fromFile.line}` };
  if (setting.default === undefined) return { setting, value: undefined, from: "default" };
  return given(setting, setting.default, "default", "ERR_CONFIG_INVALID");
}

function given(
  setting: Setting,
  text: string | number,
  from: string,
  code: "ERR_USAGE" | "ERR_CONFIG_INVALID",
): Effective {
  const result = readSetting(setting, text);
  if ("value" in result) return { setting, value: result.value, from };
  const said = setting.secret === true ? "" : `, and is ${JSON.stringify(text)}`;
  throw new CliError(code, `${from} must be ${result.expected}${said}.`);
}

/** A value as it may be shown. */
export function shownValue({ setting, value }: Effective): SettingValue | null {
  if (value === undefined) return null;
  if (setting.secret === true) return "***";
  if (typeof value !== "string") return value;
  // A URL can carry a name and a password.
  return value.replaceAll(/(?<=\/\/)[^/@,]*@/g, "***@");
}
