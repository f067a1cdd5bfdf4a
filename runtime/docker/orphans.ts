import type { DockerEngine } from "./engine.ts";
import { expiresLabel, ownerLabel } from "./labels.ts";
import { hasEnded } from "./owner.ts";

interface Listed {
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** What `GET /containers/json` answers of each. */
interface ListedContainer extends Listed {
  readonly Id: string;
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
  for (const { Id } of orphans) await removeContainer(engine, { name: Id, volumes: [] });
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

/** Ends a container and removes it with its volumes. What is not there, or is being removed, is as good as gone. */
export async function removeContainer(
  engine: DockerEngine,
  { name, volumes }: ContainerNames,
): Promise<void> {
  await remove(engine, `/containers/${name}`, { force: "1", v: "1" });
  for (const volume of volumes) await remove(engine, `/volumes/${volume}`);
}

async function remove(engine: DockerEngine, path: string, query = {}): Promise<void> {
  try {
    await engine.call("DELETE", path, { query });
  } catch (error) {
    const { status } = error as { status?: number };
    if (status !== 404 && status !== 409) throw error;
  }
}
