import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { MillraceError } from "../errors.ts";
import { ContextError, packContext } from "./context.ts";
import { findPath, isInside, isThere, outside } from "./find-path.ts";
import { sha256 } from "./input-snapshot.ts";
import type { Packed, Packer, PackOptions, StepPlace } from "./packer.ts";
import type { FoundSource, StepSource } from "./step-source.ts";

/** Build contexts of docker steps: an archive of the step's folder, which each host has its own engine build. */
export const dockerPacker: Packer = {
  find,
  open: async () => ({ pack, close: async () => undefined }),
};

async function find({ root, folder, path, step }: StepPlace): Promise<FoundSource> {
  const found = await findPath(root, folder, path);
  if (!found.ok) return found;
  const { build } = (step.runtime ?? {}) as { build?: { dockerfile?: string } };
  const dockerfile = build?.dockerfile ?? "Dockerfile";
  if (!found.isFolder) {
    const isIt = basename(found.real) === dockerfile && path.includes("/");
    return wrong(`${path} is no folder with a ${dockerfile}`, isIt ? `file://./${dirname(path)}` : undefined);
  }
  const wanted = join(found.real, dockerfile);
  if (!(await isThere(wanted))) return wrong(`the folder ${path} has no ${dockerfile}`);
  const file = await realpath(wanted);
  if (!isInside(found.real, file)) return outside(path, `has its ${dockerfile} outside of it`);
  return { ok: true, source: { runtime: "docker", kind: "context", file, folder: found.real } };
}

function wrong(message: string, suggestion?: string): FoundSource {
  const code = "ERR_FUNCTION_PATH_KIND";
  return { ok: false, code, message, ...(suggestion !== undefined && { suggestion }) };
}

async function pack(
  { file, folder = dirname(file) }: StepSource,
  { display }: Pick<PackOptions, "display">,
): Promise<Packed> {
  const dockerfile = relative(folder, file).replaceAll(sep, "/");
  try {
    const bytes = await packContext(folder, dockerfile);
    const [digest, size] = [sha256(bytes), bytes.length];
    const again = (): Promise<Uint8Array> => packAgain(folder, dockerfile, digest);
    return { ok: true, artifact: { sha256: digest, size, bytes: again }, cached: true };
  } catch (error) {
    if (!(error instanceof ContextError)) throw error;
    return {
      ok: false,
      problems: [{ code: "ERR_BUILD_CONTEXT", message: error.message, file: display(folder) }],
    };
  }
}

/** Equal folders give equal archives, so that none has to be kept. */
async function packAgain(folder: string, dockerfile: string, digest: string): Promise<Uint8Array> {
  const bytes = await packContext(folder, dockerfile);
  if (sha256(bytes) === digest) return bytes;
  throw new MillraceError("ERR_BUILD_CHANGED", `${folder} is no longer what was packed.`);
}
