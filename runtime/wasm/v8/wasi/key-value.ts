import type { HostAnswer, HostCall, WithBytes } from "../../calls.ts";
import { ask, outsideOf } from "./ask.ts";
import { err, hostFunction, none, ok } from "./host-function.ts";
import type { HostInterfaces } from "./host-function.ts";
import type { Outside, StepWorld } from "./world.ts";

interface Bucket extends Disposable {
  readonly name: string;
}

/** A key as it was when its compare-and-swap began. */
interface Cas extends Disposable {
  readonly bucket: string;
  readonly key: string;
  readonly seen: Value;
}

/** The revision is null where there is no such key. */
interface Value {
  readonly revision: string | null;
  readonly value: Uint8Array | undefined;
}

type Outcome = readonly [0 | 1, unknown];
type Option = readonly [0 | 1, unknown];
type Pair = readonly [string, Uint8Array];

const error = "variant{no-such-store, access-denied, other(string)}";
const casError = `variant{store-error(${error}), cas-failed(own<cas>)}`;
const response = "record{keys: list<string>, cursor: option<string>}";
const pair = "tuple<string, list<u8>>";
const codes = ["no-such-store", "access-denied"] as const;

/** What a handle takes beside the texts behind it, about. */
const handleBytes = 256;

/** wasi:keyvalue: the host keeps what is behind it. */
export const keyValueInterfaces: HostInterfaces = {
  "wasi:keyvalue/store": {
    // Whether it is there is told by whatever is done with it.
    open: hostFunction<[string]>(`(string) -> result<own<bucket>, ${error}>`, (world, [name]) => {
      const bytes = handleBytes + name.length;
      return ok({ name, ...held(outsideOf(world), bytes) } satisfies Bucket);
    }),
    "[method]bucket.get": hostFunction<[Bucket, string]>(
      `(borrow<bucket>, string) -> result<option<list<u8>>, ${error}>`,
      (world, [bucket, key]) => get(world, bucket.name, key, ({ value }) => optional(value)),
    ),
    "[method]bucket.set": hostFunction<[Bucket, string, Uint8Array]>(
      `(borrow<bucket>, string, list<u8>) -> result<_, ${error}>`,
      (world, [bucket, key, value]) => set(world, bucket, key, value),
    ),
    "[method]bucket.delete": hostFunction<[Bucket, string]>(
      `(borrow<bucket>, string) -> result<_, ${error}>`,
      (world, [bucket, key]) => remove(world, bucket, key),
    ),
    "[method]bucket.exists": hostFunction<[Bucket, string]>(
      `(borrow<bucket>, string) -> result<bool, ${error}>`,
      (world, [bucket, key]) =>
        asked(world, { op: "kv.exists", bucket: bucket.name, key }, undefined, ({ head }) =>
          head.kind === "value" ? ok(head.found) : undefined,
        ),
    ),
    "[method]bucket.list-keys": hostFunction<[Bucket, Option]>(
      `(borrow<bucket>, option<string>) -> result<${response}, ${error}>`,
      (world, [bucket, [given, cursor]]) => {
        const from = given === 1 ? { cursor: cursor as string } : {};
        return asked(world, { op: "kv.keys", bucket: bucket.name, ...from }, undefined, ({ head }) =>
          head.kind === "keys" ? ok([head.keys, optional(head.cursor)]) : undefined,
        );
      },
    ),
  },
  "wasi:keyvalue/atomics": {
    increment: hostFunction<[Bucket, string, bigint]>(
      `(borrow<bucket>, string, s64) -> result<s64, ${error}>`,
      (world, [bucket, key, delta]) => {
        const call = { op: "kv.increment", bucket: bucket.name, key, delta: String(delta) } as const;
        return asked(world, call, undefined, ({ head }) =>
          head.kind === "count" ? ok(BigInt(head.value)) : undefined,
        );
      },
    ),
    "[static]cas.new": hostFunction<[Bucket, string]>(
      `(borrow<bucket>, string) -> result<own<cas>, ${error}>`,
      (world, [bucket, key]) => newCas(world, bucket.name, key),
    ),
    "[method]cas.current": hostFunction<[Cas]>(
      `(borrow<cas>) -> result<option<list<u8>>, ${error}>`,
      (_, [{ seen }]) => ok(optional(seen.value)),
    ),
    swap: hostFunction<[Cas, Uint8Array]>(`(own<cas>, list<u8>) -> result<_, ${casError}>`, swap),
  },
  "wasi:keyvalue/batch": {
    "get-many": hostFunction<[Bucket, readonly string[]]>(
      `(borrow<bucket>, list<string>) -> result<list<option<${pair}>>, ${error}>`,
      getMany,
    ),
    "set-many": hostFunction<[Bucket, readonly Pair[]]>(
      `(borrow<bucket>, list<${pair}>) -> result<_, ${error}>`,
      (world, [bucket, pairs]) => firstError(pairs, ([key, value]) => set(world, bucket, key, value)) ?? ok(),
    ),
    "delete-many": hostFunction<[Bucket, readonly string[]]>(
      `(borrow<bucket>, list<string>) -> result<_, ${error}>`,
      (world, [bucket, keys]) => firstError(keys, (key) => remove(world, bucket, key)) ?? ok(),
    ),
  },
};

/** Asks, and reads an answer that is no error of the store. */
function asked(
  world: StepWorld,
  call: HostCall,
  bytes: Uint8Array | undefined,
  read: (answer: WithBytes<HostAnswer>) => Outcome | undefined,
): Outcome {
  const answer = ask(world, call, bytes);
  const { head } = answer;
  if (head.kind === "kv-error") {
    const code = codes.findIndex((name) => name === head.code);
    return err(code === -1 ? [codes.length, head.detail ?? ""] : [code, undefined]);
  }
  const outcome = read(answer);
  if (outcome === undefined) throw new Error(`the host answered ${call.op} with ${head.kind}`);
  return outcome;
}

function get(world: StepWorld, bucket: string, key: string, use: (value: Value) => unknown): Outcome {
  return asked(world, { op: "kv.get", bucket, key }, undefined, ({ head, bytes = new Uint8Array() }) => {
    if (head.kind !== "value") return undefined;
    const value = head.found ? bytes : undefined;
    return ok(use({ value, revision: head.found ? (head.revision ?? null) : null }));
  });
}

function set(world: StepWorld, { name }: Bucket, key: string, value: Uint8Array): Outcome {
  return asked(world, { op: "kv.set", bucket: name, key }, value, ({ head }) =>
    head.kind === "done" ? ok() : undefined,
  );
}

function remove(world: StepWorld, { name }: Bucket, key: string): Outcome {
  return asked(world, { op: "kv.delete", bucket: name, key }, undefined, ({ head }) =>
    head.kind === "done" ? ok() : undefined,
  );
}

function newCas(world: StepWorld, bucket: string, key: string): Outcome {
  return get(world, bucket, key, (seen): Cas => {
    const bytes = handleBytes + bucket.length + key.length + (seen.value?.length ?? 0);
    return { bucket, key, seen, ...held(outsideOf(world), bytes) };
  });
}

function swap(world: StepWorld, [cas, value]: readonly [Cas, Uint8Array]): Outcome {
  cas[Symbol.dispose]();
  const { bucket, key, seen } = cas;
  const call = { op: "kv.set", bucket, key, revision: seen.revision } as const;
  let changed = false;
  const [failed, storeError] = asked(world, call, value, ({ head }) => {
    if (head.kind !== "done") return undefined;
    ({ changed } = head);
    return ok();
  });
  if (failed === 1) return err([0, storeError]);
  if (changed) return ok();
  const [none, next] = newCas(world, bucket, key);
  return err([none === 1 ? 0 : 1, next]);
}

function getMany(world: StepWorld, [bucket, keys]: readonly [Bucket, readonly string[]]): Outcome {
  const { hold, release } = outsideOf(world);
  const pairs: Option[] = [];
  let bytes = 0;
  for (const key of keys) {
    const [failed, value] = get(world, bucket.name, key, (found) => found.value);
    if (failed === 1) return err(value);
    const more = handleBytes + key.length + ((value as Value["value"])?.length ?? 0);
    hold(more);
    bytes += more;
    pairs.push(value === undefined ? none : [1, [key, value]]);
  }
  release(bytes);
  return ok(pairs);
}

function firstError<T>(list: readonly T[], each: (item: T) => Outcome): Outcome | undefined {
  for (const item of list) {
    const outcome = each(item);
    if (outcome[0] === 1) return outcome;
  }
  return undefined;
}

function optional(value: unknown): Option {
  return value === undefined ? none : [1, value];
}

/** Holds so much until the handle goes. */
function held({ hold, release }: Outside, bytes: number): Disposable {
  hold(bytes);
  return { [Symbol.dispose]: () => release(bytes) };
}
