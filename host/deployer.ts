import type { Json } from "../runtime/json.ts";
import type { Host } from "./host.ts";
import { MillraceError } from "./errors.ts";
import { compileEventSchemas } from "./event/schemas.ts";
import { define } from "./function/define.ts";
import type { FunctionVersion } from "./function/version.ts";
import type { State } from "./state/state.ts";

/** Puts functions into a store, or on a host, without running any. */
export interface Deployer {
  /** The active version of every function. */
  active(): Promise<readonly Pick<FunctionVersion, "functionId" | "version">[]>;
  hasArtifact(sha256: string): Promise<boolean>;
  /** Stores an artifact; resolves to its sha256. */
  putArtifact(bytes: Uint8Array): Promise<string>;
  /** New runs begin on these versions. Throws ERR_ARTIFACT_MISSING when a component is not stored. */
  deploy(versions: readonly FunctionVersion[]): Promise<void>;
  eventSchemas(): Promise<Readonly<Record<string, Json>>>;
  /** Stores these schemas beside those of other names. Throws ERR_SCHEMA_INVALID. */
  addEventSchemas(schemas: Readonly<Record<string, Json>>): Promise<void>;
  close(): Promise<void>;
}

/** Deploys straight into a store; its hosts take it up by themselves. Closes the state. */
export function createStateDeployer({ artifacts, catalog, close }: State): Deployer {
  return {
    active: () => catalog.active(),
    hasArtifact: (sha256) => artifacts.has(sha256),
    putArtifact: (bytes) => artifacts.put(bytes),
    async deploy(versions) {
      // What can't be compiled must not become active on any host.
      for (const version of versions) define(version);
      await checkComponents(versions, (sha256) => artifacts.has(sha256));
      await Promise.all(versions.map((version) => catalog.putVersion(version)));
      await Promise.all(
        versions.map(({ functionId, version, createdAt }) =>
          catalog.activate(functionId, version, createdAt),
        ),
      );
    },
    eventSchemas: () => catalog.schemas(),
    async addEventSchemas(schemas) {
      compileEventSchemas({ ...(await catalog.schemas()), ...schemas });
      await catalog.putSchemas(schemas);
    },
    close,
  };
}

/** Throws ERR_ARTIFACT_MISSING with a problem for each component that is not stored. */
export async function checkComponents(
  versions: readonly FunctionVersion[],
  has: Host["hasArtifact"],
): Promise<void> {
  const digests = new Set(versions.flatMap(({ components }) => Object.values(components)));
  const known = await Promise.all([...digests].map(async (sha256) => [sha256, await has(sha256)] as const));
  const missing = new Set(known.flatMap(([sha256, there]) => (there ? [] : [sha256])));
  if (missing.size === 0) return;
  const problems = versions.flatMap(({ functionId, components }) =>
    Object.entries(components).flatMap(([step, sha256]) => {
      if (!missing.has(sha256)) return [];
      const message = `the component ${sha256} of the step ${step} of ${functionId} is not stored`;
      return [{ code: "ERR_ARTIFACT_MISSING", message }];
    }),
  );
  const message = `${missing.size} of the functions' components are not stored.`;
  throw new MillraceError("ERR_ARTIFACT_MISSING", message, { problems });
}
