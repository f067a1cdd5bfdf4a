import type { BuiltFunction } from "../../build/build.ts";
import type { Json } from "../../../runtime/json.ts";
import type { FunctionVersion } from "../../function/version.ts";
import type { Deployer } from "../../index.ts";
import { versionOf } from "../project.ts";
import { publishSteps, type PublishedStep } from "./publish.ts";

/** What a push came to, or with `dryRun` would come to. */
export interface Pushed {
  readonly functions: readonly { readonly id: string; readonly version: string; readonly changed: boolean }[];
  /** The events whose schemas changed. */
  readonly schemas: readonly string[];
  /** Steps that have a component. */
  readonly steps: number;
  /** Components that were not stored before. */
  readonly uploaded: number;
  /** Their bytes. */
  readonly bytes: number;
  /** The code of steps that run elsewhere. */
  readonly published: readonly PublishedStep[];
  readonly dryRun: boolean;
}

/** What is pushed. */
export interface Push {
  readonly functions: readonly BuiltFunction[];
  readonly eventSchemas: Readonly<Record<string, Json>>;
  /** How files are named. */
  readonly display: (file: string) => string;
}

/**
 * Publishes what runs elsewhere, uploads what is missing, and deploys what has changed: schemas first, since the
 * functions count on them.
 */
export async function push(
  deployer: Deployer,
  { functions, eventSchemas, display }: Push,
  { now, dryRun, signal }: { readonly now: number; readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Pushed> {
  const active = new Map((await deployer.active()).map((one) => [one.functionId, one.version]));
  const { published, pinned } = await publishSteps(functions, { dryRun, signal, display });
  const versions = functions.map((built) => versionOf(built, now, pinned.get(built.document.id)));
  const changed = versions.filter(({ functionId, version }) => active.get(functionId) !== version);
  const schemas = changedSchemas(eventSchemas, await deployer.eventSchemas());

  const steps = functions.flatMap(({ components }) => Object.values(components));
  const components = new Map(steps.map((component) => [component.sha256, component]));
  let uploaded = 0;
  let bytes = 0;
  for (const [sha256, component] of components) {
    signal.throwIfAborted();
    if (await deployer.hasArtifact(sha256)) continue;
    if (!dryRun) await deployer.putArtifact(await component.bytes());
    uploaded += 1;
    bytes += component.size;
  }
  signal.throwIfAborted();
  if (!dryRun) await deploy(deployer, changed, schemas);
  return {
    functions: versions.map((version) => ({
      id: version.functionId,
      version: version.version,
      changed: changed.includes(version),
    })),
    schemas: Object.keys(schemas),
    steps: steps.length,
    uploaded,
    bytes,
    published,
    dryRun,
  };
}

async function deploy(
  deployer: Deployer,
  changed: readonly FunctionVersion[],
  schemas: Readonly<Record<string, Json>>,
): Promise<void> {
  if (Object.keys(schemas).length > 0) await deployer.addEventSchemas(schemas);
  if (changed.length > 0) await deployer.deploy(changed);
}

/** Those that are not stored just so. */
function changedSchemas(
  wanted: Readonly<Record<string, Json>>,
  stored: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const isStored = (name: string, schema: Json): boolean =>
    Object.hasOwn(stored, name) && JSON.stringify(stored[name]) === JSON.stringify(schema);
  return Object.fromEntries(Object.entries(wanted).filter(([name, schema]) => !isStored(name, schema)));
}
