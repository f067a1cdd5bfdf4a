import type { CapabilityName } from "../capabilities.ts";
import type { StepFailure } from "../driver.ts";
import { MalformedBinary, sections } from "./binary.ts";
import { inspect } from "./component.ts";
import { failure } from "../failure.ts";
import { capabilitiesOf, type Grant, grantOf } from "./grants.ts";
import { type Extent, readCoreModule } from "./v8/core-module.ts";

/** What a step's binary is, in the words of whoever looks at it. */
type StepKind = "typed component" | "program component" | "preview 1 command";

/** What can be told of a binary, whether or not a step may have what it imports. */
export interface StepDescription {
  readonly kind: StepKind;
  /** With their versions. */
  readonly imports: readonly {
    readonly name: string;
    /** To every step, to one with a capability, or to none. */
    readonly granted: Grant;
    /** Those that give it more. */
    readonly capabilities: readonly CapabilityName[];
  }[];
  readonly exports: readonly string[];
  /** Core modules, those of nested components too. */
  readonly modules: number;
  /** The memories that they define, in bytes. */
  readonly memories: readonly Extent[];
  /** The tables that they define, in elements. */
  readonly tables: readonly Extent[];
}

const pageBytes = 65_536;

/** Describes a binary; the failure when it can't be a step whatever it was granted. */
export function describeStep(bytes: Uint8Array): StepDescription | StepFailure {
  const inspection = inspect(bytes);
  if ("code" in inspection) return inspection;
  const { kind, mode, imports, exports } = inspection;
  try {
    const modules = kind === "command" ? [bytes] : coreModules(bytes);
    const read = modules.map(readCoreModule);
    return {
      kind: kind === "command" ? "preview 1 command" : `${mode} component`,
      imports: [...new Set(imports)].map((name) => ({
        name,
        granted: grantOf(name),
        capabilities: capabilitiesOf(name),
      })),
      exports,
      modules: modules.length,
      memories: read.flatMap(({ memories }) => memories).map((extent) => times(extent, pageBytes)),
      tables: read.flatMap(({ ownTables }) => ownTables).map((extent) => times(extent, 1)),
    };
  } catch (error) {
    if (!(error instanceof MalformedBinary)) throw error;
    return failure("ERR_COMPONENT_INVALID", `The artifact is not valid WebAssembly: ${error.message}.`);
  }
}

/** The core modules of a component, in its components too. */
function coreModules(component: Uint8Array): readonly Uint8Array[] {
  const modules: Uint8Array[] = [];
  const components = [component];
  // Not by recursion: how deep they nest is the binary's to say.
  for (let next = components.pop(); next !== undefined; next = components.pop()) {
    for (const { id, start, end } of sections(next)) {
      if (id === 1) modules.push(next.subarray(start, end));
      if (id === 4) components.push(next.subarray(start, end));
    }
  }
  return modules;
}

function times({ minimum, maximum }: Extent, unit: number): Extent {
  return { minimum: minimum * unit, ...(maximum === undefined ? {} : { maximum: maximum * unit }) };
}
