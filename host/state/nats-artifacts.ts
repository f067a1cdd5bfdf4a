import { createHash } from "node:crypto";
import { Objm, type ObjectStore } from "@nats-io/obj";
import { MillraceError } from "../errors.ts";
import { unavailable } from "../nats/layout.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Artifacts } from "./state.ts";

/** Components in an object store, each under its sha256; what is read is checked against it. */
export async function createNatsArtifacts({
  client,
  names,
  replicas,
}: Pick<NatsSession, "client" | "names" | "replicas">): Promise<Artifacts> {
  const store = await openStore(new Objm(client), names.artifacts, replicas);

  const has = async (sha256: string): Promise<boolean> => {
    try {
      const info = await store.info(sha256);
      return info !== null && !info.deleted;
    } catch (error) {
      throw unavailable("The NATS object store can't be read", error);
    }
  };

  return {
    async put(bytes) {
      const sha256 = digest(bytes);
      try {
        if (!(await has(sha256))) await store.putBlob({ name: sha256 }, bytes);
      } catch (error) {
        throw unavailable("The NATS object store did not take the artifact", error);
      }
      return sha256;
    },
    async get(sha256) {
      let bytes: Uint8Array | null;
      try {
        bytes = await store.getBlob(sha256);
      } catch (error) {
        throw unavailable("The NATS object store can't be read", error);
      }
      if (bytes === null) return undefined;
      if (digest(bytes) === sha256) return bytes;
      throw new MillraceError(
        "ERR_STORE_UNAVAILABLE",
        `The artifact ${sha256} is damaged in the NATS object store.`,
      );
    },
    has,
  };
}

async function openStore(manager: Objm, name: string, replicas: number): Promise<ObjectStore> {
  try {
    const description = "Components and large history entries, by the sha256 of their bytes";
    return await manager.create(name, { description, replicas });
  } catch (error) {
    throw unavailable("The NATS object store could not be opened", error);
  }
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
