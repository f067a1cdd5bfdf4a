/**
 * A component as its binary says it, decoded but not yet linked: plain data that survives JSON. Indices count within
 * the index space of their sort, in the order of definitions.
 */
export interface ComponentDefinition {
  readonly definitions: readonly Definition[];
}

/** What an index can be of. */
export type CoreSort = "func" | "table" | "memory" | "global" | "type" | "module" | "instance";
export type Sort = "func" | "type" | "component" | "instance" | `core ${CoreSort}`;

/** A named item: a sort and an index into its space. */
export type NamedItem = readonly [name: string, sort: Sort, index: number];

export type Definition =
  /** `module` counts the core modules of the whole binary, in the order in which they end. */
  | { readonly is: "core module"; readonly module: number }
  | { readonly is: "component"; readonly component: ComponentDefinition }
  | {
      readonly is: "core instance";
      readonly module: number;
      readonly args: readonly (readonly [string, number])[];
    }
  | { readonly is: "core exports"; readonly exports: readonly NamedItem[] }
  | { readonly is: "instance"; readonly component: number; readonly args: readonly NamedItem[] }
  | { readonly is: "exports"; readonly exports: readonly NamedItem[] }
  | { readonly is: "alias export"; readonly sort: Sort; readonly instance: number; readonly name: string }
  | {
      readonly is: "alias core export";
      readonly sort: Sort;
      readonly instance: number;
      readonly name: string;
    }
  | { readonly is: "alias outer"; readonly sort: Sort; readonly outward: number; readonly index: number }
  | { readonly is: "type"; readonly type: TypeDefinition }
  | { readonly is: "lift"; readonly func: number; readonly type: number; readonly options: CanonOptions }
  | { readonly is: "lower"; readonly func: number; readonly options: CanonOptions }
  | { readonly is: "resource"; readonly operation: "new" | "drop" | "rep"; readonly type: number }
  | { readonly is: "import"; readonly name: string; readonly item: ExternDefinition }
  | { readonly is: "export"; readonly name: string; readonly sort: Sort; readonly index: number };

/** How strings of a canonical function lie in memory. */
export type Encoding = "utf8" | "utf16" | "latin1+utf16";

/** Options of a canonical function; the numbers are core indices. */
export interface CanonOptions {
  readonly encoding: Encoding;
  readonly memory?: number;
  readonly realloc?: number;
  readonly postReturn?: number;
}

export type Primitive =
  | ("bool" | "s8" | "u8" | "s16" | "u16" | "s32" | "u32" | "s64" | "u64")
  | ("f32" | "f64" | "char" | "string");

/** A value's type: a primitive, or the index of a defined type. */
export type ValueRef = Primitive | number;

export type TypeDefinition =
  | { readonly is: "primitive"; readonly of: Primitive }
  | { readonly is: "record"; readonly fields: readonly (readonly [string, ValueRef])[] }
  | { readonly is: "variant"; readonly cases: readonly (readonly [string, ValueRef | null])[] }
  | { readonly is: "list"; readonly of: ValueRef }
  | { readonly is: "tuple"; readonly of: readonly ValueRef[] }
  | { readonly is: "flags"; readonly labels: readonly string[] }
  | { readonly is: "enum"; readonly labels: readonly string[] }
  | { readonly is: "option"; readonly of: ValueRef }
  | { readonly is: "result"; readonly ok: ValueRef | null; readonly err: ValueRef | null }
  | { readonly is: "own" | "borrow"; readonly resource: number }
  | { readonly is: "resource"; readonly destructor: number | null }
  | {
      readonly is: "function";
      readonly params: readonly (readonly [string, ValueRef])[];
      readonly result: ValueRef | null;
    }
  | { readonly is: "instance"; readonly declarations: readonly Declaration[] }
  /** What a nested component would be like; never looked at. */
  | { readonly is: "component" };

/** The type of something imported or exported. */
export type ExternDefinition =
  | { readonly is: "func" | "instance" | "component" | "core module"; readonly type: number }
  | { readonly is: "type"; readonly equals: number }
  | { readonly is: "resource" };

/** A line of an instance's type. */
export type Declaration =
  | { readonly is: "type"; readonly type: TypeDefinition }
  | { readonly is: "core type" }
  | { readonly is: "alias outer"; readonly sort: Sort; readonly outward: number; readonly index: number }
  | { readonly is: "alias export"; readonly sort: Sort; readonly instance: number; readonly name: string }
  | { readonly is: "export"; readonly name: string; readonly item: ExternDefinition };
