import { memoryImport } from "./bounds.ts";
import type { CoreExports } from "./component/instance.ts";
import type { Footprint } from "./bounds.ts";
import type { Extent } from "./core-module.ts";
import { growHookExport, startExport } from "./growth.ts";
import type { ProgramModule } from "./protocol.ts";
import { webAssembly } from "./webassembly.ts";
import type { WasmImports, WasmMemory } from "./webassembly.ts";

/** The size of a page of WebAssembly memory. */
export const pageBytes = 65_536;

/** Table elements of all of an attempt's instances together: they lie in the engine's own heap. */
const mostTableElements = 1024 * 1024;

/** Core instances of one attempt. */
const mostInstances = 10_000;

/** Memories of one attempt: even an empty one takes gigabytes of the process' addresses. */
const mostMemories = 100;

/** Holds the memory of one attempt at a time under its limit. */
export interface Meter {
  /** Starts a new attempt with nothing in use. `refuse` ends the guest. */
  begin(memoryBytes: number, refuse: (message: string) => never): void;
  /** How the guest was refused memory that it asked for, the last time. */
  readonly starved: string | undefined;
  /** Makes a core instance whose memory counts; gives its exports. */
  instantiate(module: ProgramModule, imports: WasmImports): CoreExports;
  /** Counts bytes that the host keeps for the guest as its memory; ends it where they are too many. */
  hold(bytes: number): void;
  /** Lets go of what was held. */
  release(bytes: number): void;
  /** After an attempt, when nothing of it can run any more: wipes what memory can be used again. */
  end(): void;
}

interface Account {
  readonly limitPages: number;
  readonly refuse: (message: string) => never;
  pages: number;
  /** Bytes that the host keeps. */
  held: number;
  memoryCount: number;
  tableElements: number;
  instances: number;
  starved: string | undefined;
  readonly memories: UsedMemory[];
}

interface UsedMemory {
  readonly memory: WasmMemory;
  readonly shape: string;
}

/** Wiped memories are kept up to this many bytes a thread, and this many. */
const keptBytes = 32 * 1024 * 1024;
const keptMemories = 64;

/** A meter for one thread. */
export function createMeter(): Meter {
  let account: Account | undefined;
  const pool = createMemoryPool();
  // (delta, take) → granted; asked by the code that bounds.ts puts in the place of memory.grow.
  const ask = asWasmFunction((delta, take) => {
    if (account === undefined) return 0;
    const pages = delta >>> 0;
    if (take === 0) account.pages -= pages;
    else if (!fits(account, pages)) {
      account.starved = `it had ${inUse(account)} bytes and asked for ${pages * pageBytes} more, over the limit of ${limitOf(account)} bytes`;
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
        held: 0,
        memoryCount: 0,
        tableElements: 0,
        instances: 0,
        starved: undefined,
        memories: [],
      };
    },
    get starved() {
      return account?.starved;
    },
    instantiate({ module, footprint }, imports) {
      if (account === undefined) throw new Error("an instance was made outside of an attempt");
      claim(account, footprint);
      // Nothing but what is put in: a module may import whatever an object has by a name.
      const own = Object.create(null) as Record<string, WasmMemory>;
      for (const [index, extent] of footprint.memories.entries()) {
        const used = pool.take(extent, account.limitPages);
        account.memories.push(used);
        own[index] = used.memory;
      }
      const all = Object.assign(Object.create(null), imports, { [memoryImport]: own }) as WasmImports;
      const { exports } = new webAssembly.Instance(module, all);
      const hook = exports[growHookExport] as { set(index: number, value: unknown): void } | undefined;
      if (hook === undefined) return exports;
      hook.set(0, ask);
      (exports[startExport] as (() => void) | undefined)?.();
      return guestExports(exports);
    },
    hold(bytes) {
      if (account === undefined) return;
      account.held += bytes;
      if (fits(account, 0)) return;
      account.refuse(
        `The step's memory and what the host holds for it are ${inUse(account)} bytes, over the limit of ${limitOf(account)} bytes.`,
      );
    },
    release(bytes) {
      if (account !== undefined) account.held -= bytes;
    },
    end() {
      for (const used of account?.memories ?? []) pool.giveBack(used);
      account = undefined;
    },
  };
}

/** Whether so many pages more are within the limit, with what the host keeps. */
function fits({ pages, held, limitPages }: Account, more: number): boolean {
  return pages + more + held / pageBytes <= limitPages;
}

function inUse({ pages, held }: Account): number {
  return pages * pageBytes + held;
}

function limitOf({ limitPages }: Account): number {
  return limitPages * pageBytes;
}

/** An instance's exports without the engine's own: another instance could import the hook, and put its own function there. */
function guestExports(exports: CoreExports): CoreExports {
  const own = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(exports)) {
    if (name !== growHookExport && name !== startExport) own[name] = exports[name];
  }
  return own;
}

/** Memories that lie wiped until the next attempt: to wipe one takes far less than to get one from the system. */
function createMemoryPool(): {
  take(extent: Extent, limitPages: number): UsedMemory;
  giveBack(used: UsedMemory): void;
} {
  const free = new Map<string, UsedMemory[]>();
  let kept = 0;
  let count = 0;
  return {
    take({ minimum, maximum }, limitPages) {
      const cap = Math.max(minimum, Math.min(maximum ?? limitPages, limitPages));
      const shape = `${minimum}-${cap}`;
      const used = free.get(shape)?.pop();
      if (used === undefined)
        return { memory: new webAssembly.Memory({ initial: minimum, maximum: cap }), shape };
      kept -= minimum * pageBytes;
      count--;
      return used;
    },
    giveBack(used) {
      const { memory, shape } = used;
      const { byteLength } = memory.buffer;
      // What has grown can't shrink again.
      if (shape.split("-", 1)[0] !== String(byteLength / pageBytes)) return;
      if (kept + byteLength > keptBytes || count === keptMemories) return;
      new Uint8Array(memory.buffer).fill(0);
      kept += byteLength;
      count++;
      const others = free.get(shape);
      if (others === undefined) free.set(shape, [used]);
      else others.push(used);
    },
  };
}

function claim(account: Account, { memories, tableElements }: Footprint): void {
  for (const { minimum } of memories) account.pages += minimum;
  account.memoryCount += memories.length;
  account.tableElements += tableElements;
  account.instances++;
  if (account.pages > account.limitPages) {
    account.refuse(
      `The component begins with ${inUse(account)} bytes of memory, over the limit of ${limitOf(account)} bytes.`,
    );
  }
  refuseMore(account, account.memoryCount, mostMemories, "memories");
  refuseMore(account, account.tableElements, mostTableElements, "table elements");
  refuseMore(account, account.instances, mostInstances, "core instances");
}

function refuseMore(account: Account, used: number, most: number, what: string): void {
  if (used <= most) return;
  account.refuse(`The component has ${used} ${what}; an attempt may have ${most}.`);
}

/** A table of functions takes only functions that WebAssembly exported: this module passes one through. */
function asWasmFunction(call: (delta: number, take: number) => number): unknown {
  const binary = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    // type 0: (i32, i32) → i32
    [0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f],
    // import "" "f" as function 0, export it as "f"
    [0x02, 0x06, 0x01, 0x00, 0x01, 0x66, 0x00, 0x00],
    [0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
  ];
  const passThrough = new webAssembly.Module(Uint8Array.from(binary.flat()));
  return new webAssembly.Instance(passThrough, { "": { f: call } }).exports["f"];
}
