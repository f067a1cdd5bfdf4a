/** What an attempt needs to know of an image. */
export interface ReadyImage {
  /** The engine's own name for it: a digest that no tag can move. */
  readonly id: string;
  /** What says everywhere which image it was: "alpine@sha256:…" where it came from a registry, else its id. */
  readonly digest: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** As the image has it: "", "0", "app", "1000:1000". */
  readonly user: string;
  /** Folders that the image declares as volumes. */
  readonly volumes: readonly string[];
}

/** What `GET /images/<name>/json` answers, as far as it matters. */
interface ImageAnswer {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Config?: {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly User?: string;
    readonly Volumes?: Readonly<Record<string, object>> | null;
  } | null;
}

/** Reads an engine's answer about the image of that name. */
export function imageOf(reference: string, answer: unknown): ReadyImage {
  const { Id, RepoDigests, Config } = answer as ImageAnswer;
  const { Entrypoint, Cmd, User, Volumes } = Config ?? {};
  return {
    id: Id,
    digest: digestOf(reference, RepoDigests ?? []) ?? Id,
    entrypoint: Entrypoint ?? [],
    command: Cmd ?? [],
    user: User ?? "",
    volumes: Object.keys(Volumes ?? {}),
  };
}

/** The one of its own repository: an image can have come from others too. Podman writes out where short names lead. */
function digestOf(reference: string, digests: readonly string[]): string | undefined {
  const repository = reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const names = [repository, `docker.io/${repository}`, `docker.io/library/${repository}`];
  return digests.find((digest) => names.some((name) => digest.startsWith(`${name}@`)));
}
