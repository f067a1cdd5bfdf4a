import { MillraceError } from "../errors.ts";
import { findPath } from "./find-path.ts";
import { sha256 } from "./input-snapshot.ts";
import type { Packed, Packer, PackOptions, StepPlace } from "./packer.ts";
import type { FoundSource, StepSource } from "./step-source.ts";
import { ArchiveError, zipFolder } from "./zip-folder.ts";

/** Archives of Lambda steps' folders, which are the code of their functions at AWS. */
export const lambdaPacker: Packer = {
  isPublished: true,
  find,
  open: async () => ({ pack, close: async () => undefined }),
};

async function find({ root, folder, path }: StepPlace): Promise<FoundSource> {
  const found = await findPath(root, folder, path);
  if (!found.ok) return found;
  if (found.isFolder) return { ok: true, source: { runtime: "lambda", kind: "folder", file: found.real } };
  const message = `${path} is a file; a Lambda step's path leads to the folder of its code`;
  return { ok: false, code: "ERR_FUNCTION_PATH_KIND", message };
}

async function pack(
  { file: folder }: StepSource,
  { display }: Pick<PackOptions, "display">,
): Promise<Packed> {
  try {
    const bytes = await zipFolder(folder);
    const [digest, size] = [sha256(bytes), bytes.length];
    const again = (): Promise<Uint8Array> => zipAgain(folder, digest);
    return { ok: true, artifact: { sha256: digest, size, bytes: again }, cached: true };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const problem = { code: "ERR_BUILD_ARCHIVE", message: error.message, file: display(folder) };
    return { ok: false, problems: [problem] };
  }
}

/** Equal folders give equal archives, so that none has to be kept. */
async function zipAgain(folder: string, digest: string): Promise<Uint8Array> {
  const bytes = await zipFolder(folder);
  if (sha256(bytes) === digest) return bytes;
  throw new MillraceError("ERR_BUILD_CHANGED", `${folder} is no longer what was packed.`);
}
