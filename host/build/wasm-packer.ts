import { inspectStep } from "../../runtime/wasm/grants.ts";
import { normalCapabilities } from "../function/capabilities.ts";
import type { LanguageName } from "../function/language.ts";
import type { BuildCache } from "./build-cache.ts";
import type { PathProblem } from "./find-path.ts";
import { fileArtifact, type Packer, type Packing } from "./packer.ts";
import { createStepBuilders } from "./step-builders.ts";
import { findStepSource } from "./step-source.ts";
import { guestCapabilities } from "./world.ts";

/** Components of Wasm steps: `.wasm` files as they are, everything else built. */
export const wasmPacker: Packer = {
  async find({ root, folder, path, step }) {
    const found = await findStepSource({
      root,
      folder,
      path,
      // The document was checked: it is one of them.
      language: step.runtime?.["language"] as LanguageName | undefined,
      command: step.build,
    });
    if (!found.ok) return found;
    const interpreter = step.runtime?.["interpreter"];
    if (found.source.kind !== "javascript") return interpreter === undefined ? found : noInterpreter(path);
    const capabilities = normalCapabilities(step.capabilities ?? {});
    const grants = guestCapabilities.filter((name) => capabilities[name] !== undefined);
    const source = grants.length === 0 ? found.source : { ...found.source, grants };
    return { ok: true, source: interpreter === "starlingmonkey" ? { ...source, interpreter } : source };
  },
  open,
};

function noInterpreter(path: string): PathProblem {
  const message = `${path} is no JavaScript, which alone runs on an interpreter: leave "interpreter" out`;
  return { ok: false, code: "ERR_FUNCTION_LANGUAGE", message };
}

async function open(cache: BuildCache): Promise<Packing> {
  const builders = createStepBuilders(cache);
  return {
    async pack(source, { root, display, signal, timeoutMs }) {
      const bounds = {
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
      const built = await builders.build(
        source,
        { root, file: source.file, display, ...(source.grants && { grants: source.grants }) },
        bounds,
      );
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
