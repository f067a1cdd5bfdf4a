import { inspectStep } from "../../runtime/wasm/grants.ts";
import { normalCapabilities } from "../function/capabilities.ts";
import type { LanguageName } from "../function/language.ts";
import type { BuildCache } from "./build-cache.ts";
import { fileArtifact, type Packer, type Packing } from "./packer.ts";
import { createStepBuilders } from "./step-builders.ts";
import { findStepSource } from "./step-source.ts";

/** Components of Wasm steps: `.wasm` files as they are, everything else built. */
export const wasmPacker: Packer = {
  find: ({ root, folder, path, step }) =>
    findStepSource({
      root,
      folder,
      path,
      // The document was checked: it is one of them.
      language: step.runtime?.["language"] as LanguageName | undefined,
      command: step.build,
    }),
  open,
};

async function open(cache: BuildCache): Promise<Packing> {
  const builders = createStepBuilders(cache);
  return {
    async pack(source, { root, display, signal, timeoutMs }) {
      const bounds = {
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
      const built = await builders.build(source, { root, file: source.file, display }, bounds);
      if (!built.ok) return built;
      const { component, cached } = built;
      return { ok: true, artifact: fileArtifact(component.file, component.sha256, component.size), cached };
    },
    async refuse(_source, artifact, { capabilities = {} }) {
      const inspection = inspectStep(await artifact.bytes(), normalCapabilities(capabilities));
      return "code" in inspection ? inspection : undefined;
    },
    close: () => builders.close(),
  };
}
