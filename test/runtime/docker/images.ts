import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";

/** An archive of these files. */
export async function archive(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) {
    tar.entry({ name, mode: 0o755, mtime: new Date(0) }, Buffer.from(content));
  }
  tar.finalize();
  return buffer(tar);
}

/**
 * The build context of an image from nothing that has a busybox and runs a shell script with it; `more` are
 * instructions of its Dockerfile.
 */
export function scriptContext(busybox: string, script: string, more = ""): Promise<Buffer> {
  return archive({
    Dockerfile: `FROM scratch\nCOPY busybox /bin/busybox\nCOPY step /step\n${more}\nENTRYPOINT ["/bin/busybox", "sh", "/step"]\n`,
    busybox: readFileSync(busybox),
    // Busybox has its programs under names of its own.
    step: `PATH=/bin\n${script}\n`,
  });
}

/** Artifacts in memory. */
export function createArtifacts() {
  const byDigest = new Map<string, Uint8Array>();
  return {
    source: (sha256: string): Promise<Uint8Array | undefined> => Promise.resolve(byDigest.get(sha256)),
    put(bytes: Uint8Array): string {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      byDigest.set(sha256, bytes);
      return sha256;
    },
  };
}
