import { growHookExport, startExport } from "./bounds.ts";
import type { Footprint } from "./bounds.ts";
import type { ProgramModule } from "./protocol.ts";
import { webAssembly } from "./webassembly.ts";
import type { WasmImports, WasmInstance } from "./webassembly.ts";

/** The size of a page of WebAssembly memory. */
export const pageBytes = 65_536;

/** Table elements of all of an attempt's instances together: they lie in the engine's own heap. */
const mostTableElements = 8 * 1024 * 1024;

/** Core instances of one attempt. */
const mostInstances = 10_000;

/** Holds the memory of one attempt at a time under its limit. */
export interface Meter {
  /** Starts a new attempt with nothing in use. `refuse` ends the guest. */
  begin(memoryBytes: number, refuse: (message: string) => never): void;
  /** True once the guest was refused memory that it asked for. */
  readonly starved: boolean;
  /** Makes a core instance whose memory counts. */
  instantiate(module: ProgramModule, imports: WasmImports): WasmInstance;
}

interface Account {
  readonly limitPages: number;
  readonly refuse: (message: string) => never;
  pages: number;
  tableElements: number;
  instances: number;
  starved: boolean;
}

/** A meter for one thread. */
export function createMeter(): Meter {
  let account: Account | undefined;
  // (delta, take) → granted; asked by the code that bounds.ts puts in the place of memory.grow.
  const ask = asWasmFunction((delta, take) => {
    if (account === undefined) return 0;
    const pages = delta >>> 0;
    if (take === 0) account.pages -= pages;
    else if (account.pages + pages > account.limitPages) {
      account.starved = true;
      return 0;
    } else account.pages += pages;
    return 1;
  });
  return {
    begin(memoryBytes, refuse) {
      account = {
        limitPages: Math.floor(memoryBytes / pageBytes),
        refuse,
        pages: 0,
        tableElements: 0,
        instances: 0,
        starved: false,
      };
    },
    get starved() {
      return account?.starved ?? false;
    },
    instantiate({ module, footprint }, imports) {
      if (account !== undefined) claim(account, footprint);
      const instance = new webAssembly.Instance(module, imports);
      const hook = instance.exports[growHookExport] as
        | { set(index: number, value: unknown): void }
        | undefined;
      hook?.set(0, ask);
      (instance.exports[startExport] as (() => void) | undefined)?.();
      return instance;
    },
  };
}

function claim(account: Account, { pages, tableElements }: Footprint): void {
  account.pages += pages;
  account.tableElements += tableElements;
  account.instances++;
  if (account.pages > account.limitPages) {
    account.starved = true;
    account.refuse(
      `The component begins with ${account.pages * pageBytes} bytes of memory, over the limit of ${account.limitPages * pageBytes}.`,
    );
  }
  if (account.tableElements > mostTableElements || account.instances > mostInstances) {
    account.starved = true;
    account.refuse("The component has more tables or core instances than an attempt may have.");
  }
}

/** A table of functions takes only functions that WebAssembly exported: this module passes one through. */
function asWasmFunction(call: (delta: number, take: number) => number): unknown {
  const passThrough = new webAssembly.Module(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      // type 0: (i32, i32) → i32
      ...[0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f],
      // import "" "f" as function 0, export it as "f"
      ...[0x02, 0x06, 0x01, 0x00, 0x01, 0x66, 0x00, 0x00],
      ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
    ]),
  );
  return new webAssembly.Instance(passThrough, { "": { f: call } }).exports["f"];
}
