import { isHeaderValue, isReservedHeader, isToken } from "../../../../egress/headers.ts";
import { outsideOf } from "../ask.ts";
import { err, hostFunction, ok } from "../host-function.ts";
import type { HostFunction } from "../host-function.ts";
import type { Outside, StepWorld } from "../world.ts";

/** Names as they were given, and values. */
export type Entries = readonly (readonly [string, Uint8Array])[];

/** `fields` of wasi:http/types: headers or trailers. */
export interface Fields extends Disposable {
  entries: Entries;
  readonly immutable: boolean;
}

const headerErrors = ["invalid-syntax", "forbidden", "immutable"] as const;
const headerError = `variant{${headerErrors.join(", ")}}`;
const entry = "tuple<string, list<u8>>";

/** What a handle takes beside the texts and bytes behind it, about; and what an entry does. */
export const handleBytes = 256;
const entryBytes = 64;

/** What entries take, about. */
export function bytesOf(entries: Entries): number {
  return entries.reduce((sum, [name, value]) => sum + entryBytes + name.length + value.length, handleBytes);
}

/** A new handle, whose entries are held until it goes. */
export function createFields(outside: Outside, entries: Entries, immutable: boolean): Fields {
  outside.hold(bytesOf(entries));
  return {
    entries,
    immutable,
    [Symbol.dispose]() {
      outside.release(bytesOf(this.entries));
    },
  };
}

/** The functions of `fields`. */
export const fieldsFunctions: Readonly<Record<string, HostFunction>> = {
  "[constructor]fields": hostFunction("() -> own<fields>", (world) =>
    createFields(outsideOf(world), [], false),
  ),
  "[static]fields.from-list": hostFunction<[Entries]>(
    `(list<${entry}>) -> result<own<fields>, ${headerError}>`,
    (world, [entries]) => {
      const wrong = entries.map(([name, value]) => fault(name, [value])).find((it) => it !== undefined);
      if (wrong !== undefined) return failed(wrong);
      const own = entries.map(([name, value]) => [name, value.slice()] as const);
      return ok(createFields(outsideOf(world), own, false));
    },
  ),
  "[method]fields.get": hostFunction<[Fields, string]>(
    "(borrow<fields>, string) -> list<list<u8>>",
    (_, [{ entries }, name]) => named(entries, name).map(([, value]) => value),
  ),
  "[method]fields.has": hostFunction<[Fields, string]>(
    "(borrow<fields>, string) -> bool",
    (_, [{ entries }, name]) => named(entries, name).length > 0,
  ),
  "[method]fields.set": hostFunction<[Fields, string, readonly Uint8Array[]]>(
    `(borrow<fields>, string, list<list<u8>>) -> result<_, ${headerError}>`,
    (world, [fields, name, values]) => change(world, fields, name, values, true),
  ),
  "[method]fields.delete": hostFunction<[Fields, string]>(
    `(borrow<fields>, string) -> result<_, ${headerError}>`,
    (world, [fields, name]) => change(world, fields, name, [], true),
  ),
  "[method]fields.append": hostFunction<[Fields, string, Uint8Array]>(
    `(borrow<fields>, string, list<u8>) -> result<_, ${headerError}>`,
    (world, [fields, name, value]) => change(world, fields, name, [value], false),
  ),
  "[method]fields.entries": hostFunction<[Fields]>(
    `(borrow<fields>) -> list<${entry}>`,
    (_, [{ entries }]) => entries,
  ),
  "[method]fields.clone": hostFunction<[Fields]>("(borrow<fields>) -> own<fields>", (world, [{ entries }]) =>
    createFields(outsideOf(world), entries, false),
  ),
};

type Fault = (typeof headerErrors)[number];

function failed(fault: Fault): readonly [1, unknown] {
  return err([headerErrors.indexOf(fault), undefined]);
}

function fault(name: string, values: readonly Uint8Array[]): Fault | undefined {
  const right =
    isToken(name) && values.every((value) => isHeaderValue(Buffer.from(value).toString("latin1")));
  if (!right) return "invalid-syntax";
  return isReservedHeader(name) ? "forbidden" : undefined;
}

/** Takes all values of a name away where `clear`, then adds these. */
function change(
  world: StepWorld,
  fields: Fields,
  name: string,
  values: readonly Uint8Array[],
  clear: boolean,
): readonly [0 | 1, unknown] {
  if (fields.immutable) return failed("immutable");
  const wrong = fault(name, values);
  // There is nothing of a forbidden name to take away.
  if (wrong === "forbidden" && values.length === 0) return ok();
  if (wrong !== undefined) return failed(wrong);
  const { hold, release } = outsideOf(world);
  const kept = clear ? fields.entries.filter(([other]) => !same(other, name)) : fields.entries;
  const entries = [...kept, ...values.map((value) => [name, value.slice()] as const)];
  release(bytesOf(fields.entries));
  fields.entries = entries;
  hold(bytesOf(entries));
  return ok();
}

function named(entries: Entries, name: string): Entries {
  return entries.filter(([other]) => same(other, name));
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
