/** A compiled core module. */
export type WasmModule = WebAssembly.Module;

/** Imports of a core instance: module name, then field name. */
export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A core instance. */
interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** A linear memory; growing it gives it another buffer. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The part of the WebAssembly JavaScript interface that is used here; TypeScript has it only in its library for browsers. */
interface WebAssemblyInterface {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    imports(module: WasmModule): readonly { readonly module: string; readonly name: string }[];
    exports(module: WasmModule): readonly { readonly name: string }[];
  };
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Instance: new (module: WasmModule, imports?: WasmImports) => WasmInstance;
}

/** The engine's own WebAssembly object. */
export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface })
  .WebAssembly;
