import type { RuntimeName } from "../../runtime/driver.ts";
import { dockerPacker } from "./docker-packer.ts";
import { lambdaPacker } from "./lambda-packer.ts";
import type { Packer } from "./packer.ts";
import { wasmPacker } from "./wasm-packer.ts";

/** The one list of packers; steps of other runtimes have no files of their own. */
export const packers: Readonly<Partial<Record<RuntimeName, Packer>>> = {
  wasm: wasmPacker,
  docker: dockerPacker,
  lambda: lambdaPacker,
};
