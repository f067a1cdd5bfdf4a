import type { DockerEngine } from "./engine.ts";
import { expiresLabel, ownerLabel } from "./labels.ts";
import { hasEnded } from "./owner.ts";

interface Listed {
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** What `GET /containers/json` answers of each. */
interface ListedContainer extends Listed {
  readonly Id: string;
  readonly Mounts?: readonly { readonly Type?: string; readonly Name?: string }[] | null;
}

/** What `GET /volumes` answers. */
interface ListedVolumes {
  readonly Volumes?: readonly (Listed & { readonly Name: string })[] | null;
}

/** How far the clocks of hosts that share an engine may be apart, in milliseconds. */
const clockSkewMs = 10 * 60_000;

/**
 * Removes the containers, and their volumes, of hosts that have ended: at once where the host was a process of this
 * machine, else once the attempt's time is long over. Resolves to how many containers there were. Throws EngineError.
 */
export async function removeOrphans(engine: DockerEngine, now: number): Promise<number> {
  const filters = JSON.stringify({ label: [ownerLabel] });
  const isOrphan = ({ Labels }: Listed): boolean => {
    const expires = Number(Labels?.[expiresLabel]);
    return hasEnded(Labels?.[ownerLabel] ?? "") || expires + clockSkewMs < now;
  };
  const containers = (await engine.call("GET", "/containers/json", {
    query: { all: "1", filters },
  })) as readonly ListedContainer[];
  const orphans = containers.filter(isOrphan);
  for (const { Id, Mounts } of orphans) {
    const named = (Mounts ?? []).flatMap(({ Type, Name }) => (Type === "volume" && Name ? [Name] : []));
    await removeContainer(engine, { name: Id, volumes: named });
  }
  // Of a container that was removed already; Podman does not label them.
  const { Volumes } = (await engine.call("GET", "/volumes", { query: { filters } })) as ListedVolumes;
  const volumes = (Volumes ?? []).filter(isOrphan);
  for (const { Name } of volumes) await remove(engine, `/volumes/${Name}`);
  return orphans.length;
}

/** A container, and the volumes that it alone has. */
export interface ContainerNames {
  readonly name: string;
  readonly volumes: readonly string[];
}

/** Ends a container and removes it with its volumes. What is not there is as good as gone. Throws EngineError. */
export async function removeContainer(
  engine: DockerEngine,
  { name, volumes }: ContainerNames,
): Promise<void> {
  await remove(engine, `/containers/${name}`, { force: "1", v: "1" });
  for (const volume of volumes) await remove(engine, `/volumes/${volume}`);
}

/** An engine may be about to remove a container, and a volume is in use until it has. */
const conflictTries = 20;
const conflictMs = 250;

async function remove(engine: DockerEngine, path: string, query = {}): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      await engine.call("DELETE", path, { query });
      return;
    } catch (error) {
      const { status } = error as { status?: number };
      if (status === 404) return;
      if (status !== 409 || tried === conflictTries) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, conflictMs));
  }
}
