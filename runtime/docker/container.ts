import type { Attempt } from "../driver.ts";
import type { ReadyImage } from "./image.ts";
import type { EngineProduct } from "./version.ts";
import { expiresLabel, functionLabel, ownerLabel, runLabel, stepLabel } from "./labels.ts";
import { dockerOptions } from "./options.ts";

/** An argument over this many bytes is left out: Linux refuses one of 128 KiB, and the step may begin a shell with it. */
const longestArgument = 96 * 1024;

/** The least memory with which an engine starts a container, in bytes. */
const leastMemory = 6 * 1024 * 1024;

/** Processes and threads of one container. */
const mostProcesses = 512;

/** Where Podman lays memory that can be written to over a read-only file system, unless something is laid there already. */
const podmanScratch = ["/run", "/tmp", "/var/tmp"];

/** A user that owns nothing, "nobody" on most systems. */
const nobody = "65534:65534";

/** What the program of a container is called with: the image's words, or the document's; the input comes behind them. */
export function commandOf(
  image: ReadyImage,
  { program }: Pick<Attempt, "program">,
): { readonly entrypoint: readonly string[]; readonly command: readonly string[] } {
  const { entrypoint, command } = dockerOptions(program);
  // As with `docker run --entrypoint`: the image's command was meant for its own entrypoint.
  const rest = command ?? (entrypoint === undefined ? image.command : []);
  return { entrypoint: entrypoint ?? image.entrypoint, command: rest };
}

/**
 * What `POST /containers/create` is asked for an attempt: nothing but what the step needs and was granted. `owner`: the
 * process that asks, `expires`: when nobody needs the container any more, in milliseconds since 1970. `volumes`: names
 * for those that the image declares. `product`: whose engine is asked.
 */
export function containerConfig(
  image: ReadyImage,
  attempt: Attempt,
  text: string,
  {
    owner,
    expires,
    volumes,
    product,
  }: {
    readonly owner: string;
    readonly expires: number;
    readonly volumes: readonly string[];
    readonly product: EngineProduct;
  },
): object {
  const { program, input, limits } = attempt;
  const { ctx } = input;
  const { capabilities = {} } = program;
  const { user, cpus = 1 } = dockerOptions(program);
  const { entrypoint, command } = commandOf(image, attempt);
  const hasTmp = capabilities.tmp === true;
  const owned = { [ownerLabel]: owner, [expiresLabel]: String(expires) };
  const isShort = Buffer.byteLength(text) <= longestArgument;
  return {
    Image: image.id,
    ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
    Cmd: [...command, ...(isShort ? [text] : [])],
    User: user ?? (isRoot(image.user) ? nobody : image.user),
    Env: Object.entries(capabilities.env ?? {}).map(([name, value]) => `${name}=${value}`),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      ...owned,
      [runLabel]: ctx.runId,
      [functionLabel]: ctx.functionId,
      [stepLabel]: ctx.stepId,
    },
    HostConfig: {
      NetworkMode: capabilities.network === "run" ? "default" : "none",
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      // Memory alone would let as much again be swapped.
      ...memory(limits.memoryBytes),
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: mostProcesses,
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        { Name: "nofile", Soft: 1_024, Hard: 4_096 },
        { Name: "nofile", Soft: 1_024, Hard: 4_096 },
        // An endless loop ends even if its host has ended before it.
        { Name: "cpu", ...cpuSeconds(limits.wallMs, cpus) },
      ],
      LogConfig: { Type: "none" },
      // Without a scratch folder there is no /dev/shm either.
      IpcMode: hasTmp ? "private" : "none",
      ...(hasTmp && { ShmSize: limits.tmpBytes }),
      Tmpfs: {
        ...(product === "Podman" && covered(image.volumes)),
        ...(hasTmp &&
          !image.volumes.includes("/tmp") && {
            "/tmp": `rw,nosuid,nodev,noexec,mode=1777,size=${limits.tmpBytes}`,
          }),
      },
      // What an image declares as a volume would be a place to write to; engines make only named ones read-only.
      Mounts: image.volumes.map((Target, index) =>
        Target === "/tmp" && hasTmp
          ? { Type: "tmpfs", Target, TmpfsOptions: { SizeBytes: limits.tmpBytes, Mode: 0o1777 } }
          : {
              Type: "volume",
              Source: volumes[index],
              Target,
              ReadOnly: true,
              VolumeOptions: { Labels: owned },
            },
      ),
    },
  };
}

/** Nothing to write to where Podman would have something; what an image has as a volume is covered by that. */
function covered(volumes: readonly string[]): Readonly<Record<string, string>> {
  const paths = podmanScratch.filter((path) => !volumes.includes(path));
  return Object.fromEntries(paths.map((path) => [path, "ro,size=4096"]));
}

function memory(bytes: number): object {
  const Memory = Math.max(bytes, leastMemory);
  return { Memory, MemorySwap: Memory };
}

function cpuSeconds(wallMs: number, cpus: number): object {
  const seconds = Math.ceil((wallMs / 1000) * cpus) + 5;
  return { Soft: seconds, Hard: seconds };
}

function isRoot(user: string): boolean {
  return /^(root|0+)?(:.*)?$/.test(user);
}
