import { readFile } from "node:fs/promises";
import { inspectStep } from "../../runtime/wasm/grants.ts";
import { normalCapabilities } from "../function/capabilities.ts";
import type { BuildCache } from "./build-cache.ts";
import { sha256 } from "./input-snapshot.ts";
import { createJavascriptBuilder } from "./javascript.ts";
import { fileArtifact, type Packer, type Packing } from "./packer.ts";
import { findStepSource } from "./step-source.ts";

/** Components of Wasm steps: `.wasm` files as they are, everything else built. */
export const wasmPacker: Packer = {
  find: ({ root, folder, path }) => findStepSource(root, folder, path),
  open,
};

async function open(cache: BuildCache): Promise<Packing> {
  const javascript = await createJavascriptBuilder(cache);
  return {
    async pack({ kind, file }, { root, display, signal, timeoutMs }) {
      if (kind === "wasm") {
        const bytes = await readFile(file);
        return { ok: true, artifact: fileArtifact(file, sha256(bytes), bytes.length), cached: true };
      }
      const built = await javascript.build(
        { root, file, display },
        { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
      );
      if (!built.ok) return built;
      const { component, cached } = built;
      const artifact = fileArtifact(component.file, component.sha256, component.size);
      return { ok: true, artifact, cached };
    },
    async refuse(_source, artifact, { capabilities = {} }) {
      const inspection = inspectStep(await artifact.bytes(), normalCapabilities(capabilities));
      return "code" in inspection ? inspection : undefined;
    },
    close: () => javascript.close(),
  };
}
