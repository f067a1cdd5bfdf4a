import { buildProject } from "../../build/build.ts";
import { systemClock } from "../../clock.ts";
import { openDeployer, type Deployer } from "../../index.ts";
import { bytesText, tellProgress } from "../build-text.ts";
import type { PushOptions } from "../commands/push.ts";
import { CliError } from "../errors.ts";
import { catchInterrupts } from "../interrupt.ts";
import { openProject, projectError } from "../project.ts";
import { natsOptions, storeSettingsOf } from "../settings/flags.ts";
import type { Terminal } from "../terminal.ts";
import { createHttpDeployer } from "./http-deployer.ts";
import { push, type Pushed } from "./push.ts";

/** Builds a project and pushes it; a project with any problem is not pushed in part. */
export async function runPush(dir: string, options: PushOptions, terminal: Terminal): Promise<void> {
  const interrupt = catchInterrupts();
  try {
    const project = await openProject(dir);
    const { signal } = interrupt;
    const { functions, problems } = await buildProject(project, {
      signal,
      onProgress: tellProgress(terminal),
    });
    const all = [...project.problems, ...problems];
    if (all.length > 0) throw projectError(all);
    const deployer = await open(options);
    try {
      const { eventSchemas, display } = project;
      const dryRun = options.dryRun === true;
      tell(
        await push(
          deployer,
          { functions, eventSchemas, display },
          { now: systemClock.now(), dryRun, signal },
        ),
        terminal,
      );
    } finally {
      await deployer.close();
    }
  } finally {
    interrupt.close();
  }
}

/** A store that flags name goes before a host; a host before a store that the environment names. */
async function open(options: PushOptions): Promise<Deployer> {
  if (options.broker !== undefined && options.url !== undefined)
    throw new CliError("ERR_USAGE", "--url and --broker are two ways to push: give one of them.");
  const settings = storeSettingsOf(options);
  const broker = settings.text("broker");
  const named = options.url ?? process.env["MILLRACE_URL"];
  if (broker !== undefined && (options.broker !== undefined || named === undefined))
    return openDeployer({ store: broker, nats: natsOptions(settings) });
  const apiKey = options.key ?? process.env["MILLRACE_API_KEY"];
  return createHttpDeployer({
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(apiKey === undefined ? {} : { apiKey }),
  });
}

function tell(pushed: Pushed, terminal: Terminal): void {
  if (terminal.json) return terminal.printJson(pushed);
  const { out } = terminal;
  const { functions, schemas, steps, uploaded, bytes, published, dryRun } = pushed;
  for (const { function: name, version, changed } of published) {
    const state = changed ? out("green", dryRun ? "would publish" : "published") : out("dim", "has its code");
    terminal.print(
      `${state}  ${name}  ${out("dim", version === undefined ? "" : `version ${version}`)}`.trimEnd(),
    );
  }
  for (const { id, version, changed } of functions) {
    const state = changed ? out("green", dryRun ? "would deploy" : "deployed") : out("dim", "unchanged");
    terminal.print(`${state}  ${id}  ${out("dim", version)}`);
  }
  if (schemas.length > 0) terminal.print(`schemas of ${schemas.join(", ")}`);
  const size = uploaded === 0 ? "" : ` (${bytesText(bytes)})`;
  terminal.print(`${steps} ${steps === 1 ? "step" : "steps"}, ${uploaded} uploaded${size}`);
  const nothing =
    published.every(({ changed }) => !changed) &&
    schemas.length === 0 &&
    functions.every(({ changed }) => !changed);
  if (nothing) terminal.print("Nothing changed.");
  else if (dryRun) terminal.print("A dry run: nothing was stored.");
}
