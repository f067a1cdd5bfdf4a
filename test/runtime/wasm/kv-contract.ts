import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostCall, HostCalls } from "../../../runtime/wasm/calls.ts";
import { callsGuest } from "./calls-guest.ts";
import { answering, createCallsHarness, returned } from "./calls-harness.ts";
import type { CallsHarness } from "./calls-harness.ts";
import type { CreateEngine } from "./harness.ts";

/** Keys and values in memory, answered as a host does; revisions count up. */
function memory(): { readonly calls: HostCalls; readonly heads: HostCall[] } {
  const heads: HostCall[] = [];
  const kept = new Map<string, { readonly bytes: Uint8Array; readonly revision: string }>();
  let revision = 0;
  const answer: HostCalls = ({ head, bytes = new Uint8Array() }) => {
    heads.push(head);
    const found = "key" in head ? kept.get(head.key) : undefined;
    switch (head.op) {
      case "kv.get":
        return Promise.resolve(
          found === undefined
            ? { head: { kind: "value", found: false } }
            : { head: { kind: "value", found: true, revision: found.revision }, bytes: found.bytes },
        );
      case "kv.exists":
        return Promise.resolve({ head: { kind: "value", found: found !== undefined } });
      case "kv.set": {
        const wanted = head.revision;
        const changed = wanted === undefined || (wanted ?? undefined) === found?.revision;
        if (changed) kept.set(head.key, { bytes, revision: `r${++revision}` });
        return Promise.resolve({ head: { kind: "done", changed } });
      }
      case "kv.delete":
        return Promise.resolve({ head: { kind: "done", changed: kept.delete(head.key) } });
      case "kv.increment": {
        const value = String(BigInt(Buffer.from(found?.bytes ?? []).toString() || "0") + BigInt(head.delta));
        kept.set(head.key, { bytes: Buffer.from(value), revision: `r${++revision}` });
        return Promise.resolve({ head: { kind: "count", value } });
      }
      case "kv.keys": {
        const keys = [...kept.keys()].toSorted().filter((key) => key > (head.cursor ?? ""));
        const page = keys.slice(0, 2);
        const more = keys.length > 2 ? { cursor: page[1] as string } : {};
        return Promise.resolve({ head: { kind: "keys", keys: page, ...more } });
      }
      default:
        return Promise.reject(new Error(`there is no ${head.op}`));
    }
  };
  return { calls: answer, heads };
}

/** wasi:keyvalue in a guest, on every engine; what is behind the calls is the host's. */
export function kvContract(name: string, createEngine: CreateEngine): void {
  describe(`wasi:keyvalue on ${name}`, () => {
    let guest: Uint8Array;
    let harness: CallsHarness;
    beforeAll(async () => {
      guest = await callsGuest();
      harness = createCallsHarness(createEngine, () => guest);
    });
    afterAll(() => harness.close());
    const run = async (code: string, calls: HostCalls): Promise<unknown> =>
      returned(await harness.run(code, { calls }));

    test("sets, gets, finds and deletes", async () => {
      const { calls, heads } = memory();
      const code = `
        const bucket = store.open("default");
        const before = bucket.get("a");
        bucket.set("a", bytes("Grüße"));
        bucket.set("empty", bytes(""));
        const got = [bucket.get("a"), bucket.get("empty"), bucket.exists("a"), bucket.exists("b")];
        bucket.delete("a");
        bucket.delete("a");
        return [before, ...got, bucket.get("a")];`;
      expect(await run(code, calls)).toEqual([null, { bytes: "Grüße" }, { bytes: "" }, true, false, null]);
      expect(heads.filter(({ op }) => op !== "kv.get")).toEqual([
        { op: "kv.set", bucket: "default", key: "a" },
        { op: "kv.set", bucket: "default", key: "empty" },
        { op: "kv.exists", bucket: "default", key: "a" },
        { op: "kv.exists", bucket: "default", key: "b" },
        { op: "kv.delete", bucket: "default", key: "a" },
        { op: "kv.delete", bucket: "default", key: "a" },
      ]);
    });

    test("lists keys page by page", async () => {
      const { calls } = memory();
      const code = `
        const bucket = store.open("default");
        for (const key of ["c", "a", "b"]) bucket.set(key, bytes(key));
        const first = bucket.listKeys(null);
        return [first, bucket.listKeys(first.cursor)];`;
      expect(await run(code, calls)).toEqual([
        { keys: ["a", "b"], cursor: "b" },
        { keys: ["c"], cursor: null },
      ]);
    });

    test("increments by any number of 64 bits", async () => {
      const { calls, heads } = memory();
      const code = `
        const bucket = store.open("default");
        return [atomics.increment(bucket, "n", 5), atomics.increment(bucket, "n", -7)];`;
      expect(await run(code, calls)).toEqual([5, -2]);
      expect(heads).toMatchObject([{ delta: "5" }, { delta: "-7" }]);
    });

    test("swaps what has not changed", async () => {
      const { calls, heads } = memory();
      const code = `
        const bucket = store.open("default");
        const fresh = atomics.Cas.new(bucket, "a");
        const none = fresh.current();
        atomics.swap(fresh, bytes("one"));
        const cas = atomics.Cas.new(bucket, "a");
        const current = cas.current();
        atomics.swap(cas, bytes("two"));
        return [none, current, bucket.get("a")];`;
      expect(await run(code, calls)).toEqual([null, { bytes: "one" }, { bytes: "two" }]);
      expect(heads.filter(({ op }) => op === "kv.set")).toMatchObject([
        { revision: null },
        { revision: "r1" },
      ]);
    });

    test("does not swap what has changed, and gives out a handle of how it is now", async () => {
      const { calls } = memory();
      const code = `
        const bucket = store.open("default");
        const cas = atomics.Cas.new(bucket, "a");
        bucket.set("a", bytes("other"));
        const { error } = attempt(() => atomics.swap(cas, bytes("mine")));
        const now = error.val.current();
        atomics.swap(error.val, bytes("mine"));
        return [error.tag, now, bucket.get("a")];`;
      expect(await run(code, calls)).toEqual(["cas-failed", { bytes: "other" }, { bytes: "mine" }]);
    });

    test("does many at once", async () => {
      const { calls } = memory();
      const code = `
        const bucket = store.open("default");
        batch.setMany(bucket, [["a", bytes("1")], ["b", bytes("2")]]);
        const all = batch.getMany(bucket, ["b", "c", "a"]);
        batch.deleteMany(bucket, ["a", "c"]);
        return [all, bucket.listKeys(null).keys];`;
      expect(await run(code, calls)).toEqual([[["b", { bytes: "2" }], null, ["a", { bytes: "1" }]], ["b"]]);
    });

    test.each([
      [{ code: "no-such-store" }, { tag: "no-such-store" }],
      [{ code: "access-denied" }, { tag: "access-denied" }],
      [
        { code: "other", detail: "the key is too long" },
        { tag: "other", val: "the key is too long" },
      ],
    ] as const)("gives the guest the error %j", async (answer, error) => {
      const head = { kind: "kv-error", ...answer } as const;
      const ops = ["kv.get", "kv.set", "kv.delete", "kv.exists", "kv.keys", "kv.increment"] as const;
      const calls = answering(Object.fromEntries(ops.map((op) => [op, { head }])));
      const code = `
        const bucket = store.open("default");
        return [
          () => bucket.get("k"), () => bucket.set("k", bytes("")), () => bucket.delete("k"),
          () => bucket.exists("k"), () => bucket.listKeys(null), () => atomics.increment(bucket, "k", 1),
          () => atomics.Cas.new(bucket, "k"), () => batch.getMany(bucket, ["k"]),
          () => batch.setMany(bucket, [["k", bytes("")]]), () => batch.deleteMany(bucket, ["k"]),
        ].map((action) => attempt(action).error);`;
      expect(await run(code, calls)).toEqual(
        Array.from({ length: 10 }, () => expect.objectContaining(error)),
      );
    });

    test("is denied where nobody answers", async () => {
      const code = `return attempt(() => store.open("default").get("k")).error.tag;`;
      expect(returned(await harness.run(code))).toBe("access-denied");
    });
  });
}
