import type { Json } from "../../../runtime/json.ts";
import type { Deployer } from "../../index.ts";
import { createHostClient, listFunctions } from "../host-client.ts";
import type { HostOptions } from "../host-options.ts";

/** Deploys through the API of a host. */
export function createHttpDeployer(options: HostOptions): Deployer {
  const client = createHostClient(options);
  return {
    async active() {
      const functions = await listFunctions(client);
      return functions.map(({ id, version }) => ({ functionId: id, version }));
    },
    hasArtifact: (sha256) => client.has(`v1/artifacts/${sha256}`),
    async putArtifact(bytes) {
      const { createHash } = await import("node:crypto");
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      await client.put(`v1/artifacts/${sha256}`, bytes);
      return sha256;
    },
    async deploy(functions) {
      await client.post("v1/deployments", { functions });
    },
    async eventSchemas() {
      const { schemas = {} } = (await client.get("v1/schemas")) as { schemas?: Record<string, Json> };
      return schemas;
    },
    async addEventSchemas(schemas) {
      await client.post("v1/deployments", { functions: [], schemas });
    },
    close: async () => undefined,
  };
}
