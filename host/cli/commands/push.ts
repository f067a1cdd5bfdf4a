import type { DefineCommand } from "../program.ts";
import { addSettings, natsSettings } from "../settings/flags.ts";

/** The options of `push`; the flags of the store's settings are beside them. */
export interface PushOptions extends Readonly<Record<string, unknown>> {
  readonly url?: string;
  readonly key?: string;
  readonly broker?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
}

const help = `
It builds the project, uploads the components that are not stored yet, and has new runs begin on the new versions.
Functions that are not in the project, and schemas of other events, stay. The same push twice changes nothing.
With --to nothing is deployed: each component becomes an artifact <prefix>/<function>/<step>, for "path" in a document.

Examples:
  $ millrace push --url https://events.example.com --key $API_KEY
  $ millrace push examples --broker nats://127.0.0.1:4222
  $ millrace push --dry-run --json
  $ millrace push --to oci://ghcr.io/acme/steps:1.2.0
`;

export const definePush: DefineCommand = (command, act) => {
  command
    .argument("[dir]", "a folder of the project", ".")
    .option("--url <url>", "the host (default: MILLRACE_URL, or millrace dev on this machine)")
    .option("--key <key>", "an API key of the host (default: MILLRACE_API_KEY)")
    .option("--broker <url>", "straight into this store instead (or MILLRACE_BROKER, without a host's URL)")
    .option("--to <oci reference>", "the components alone into an OCI registry: oci://registry/prefix[:tag]")
    .option("--dry-run", "say what would change, and change nothing");
  addSettings(command, natsSettings)
    .addHelpText("after", help)
    .action((dir: string, options: PushOptions) =>
      act(async (terminal) => {
        if (options.to !== undefined) {
          const { runPushTo } = await import("../push/run-push-to.ts");
          return runPushTo(dir, options.to, options, terminal);
        }
        const { runPush } = await import("../push/run-push.ts");
        await runPush(dir, options, terminal);
      }),
    );
};
