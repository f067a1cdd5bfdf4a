import type { Check } from "./check.ts";

/** The engine that runs docker steps, if there is any: Millrace works without one. */
export const dockerCheck: Check = {
  name: "docker",
  async run() {
    const { findEngine } = await import("../../../runtime/docker/address.ts");
    const { createEngine, EngineError } = await import("../../../runtime/docker/engine.ts");
    const { runtimeErrors } = await import("../../../runtime/errors.ts");
    const found = await findEngine();
    if (!found.ok && found.none) return { status: "absent", detail: found.failure.message };
    const engine = createEngine();
    try {
      const { engine: product, api, address } = await engine.connect();
      return {
        status: "ok",
        detail: `${product} (API ${api}) at ${address.name}, from ${address.from}`,
      };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const { code, message } = error.failure;
      return { status: "warning", detail: `${code} ${message}`, next: runtimeErrors[code].next };
    } finally {
      await engine.close();
    }
  },
};
