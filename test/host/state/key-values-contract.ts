import { describe, expect, test } from "vitest";
import { type KeyValues, keyValueBounds } from "../../../runtime/key-values.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (found: { readonly value: Uint8Array } | undefined): string | undefined =>
  found && new TextDecoder().decode(found.value);

/** What the port `state` promises of key-value stores. `reopen` where they outlive the state. */
export function keyValuesContract(open: () => KeyValues, reopen?: () => Promise<KeyValues>): void {
  describe("key-value stores", () => {
    test("keep bytes under any key, each function its own", async () => {
      const kv = open();
      expect(await kv.get("f", "a")).toBeUndefined();
      expect(await kv.set("f", "a", bytes("1"))).toBe("done");
      expect(await kv.set("g", "a", bytes("2"))).toBe("done");
      expect(await kv.set("f", "a", bytes("3"))).toBe("done");
      expect(textOf(await kv.get("f", "a"))).toBe("3");
      expect(textOf(await kv.get("g", "a"))).toBe("2");
      const all = new Uint8Array(256).map((_, index) => index);
      for (const key of ["x.y", "*", ">", " ", "ü/€ 👋", "\0", "a".repeat(keyValueBounds.keyBytes)]) {
        await kv.set("f", key, all);
        expect([...((await kv.get("f", key))?.value ?? [])]).toEqual([...all]);
      }
      await kv.set("f", "empty", new Uint8Array());
      expect(textOf(await kv.get("f", "empty"))).toBe("");
      await kv.set("f", "large", new Uint8Array(keyValueBounds.valueBytes));
      expect((await kv.get("f", "large"))?.value.length).toBe(keyValueBounds.valueBytes);
    });

    test("forget a key, and know it anew", async () => {
      const kv = open();
      await kv.delete("f", "a");
      await kv.set("f", "a", bytes("1"));
      const first = (await kv.get("f", "a"))?.revision;
      await kv.delete("f", "a");
      await kv.delete("f", "a");
      expect(await kv.get("f", "a")).toBeUndefined();
      expect(await kv.keys("f")).toEqual({ keys: [] });
      expect(await kv.set("f", "a", bytes("1"), null)).toBe("done");
      expect((await kv.get("f", "a"))?.revision).not.toBe(first);
      expect(await kv.set("f", "a", bytes("2"), first)).toBe("changed");
    });

    test("set only over the revision that the writer has seen", async () => {
      const kv = open();
      expect(await kv.set("f", "a", bytes("1"), "1")).toBe("changed");
      expect(await kv.set("f", "a", bytes("1"), "nonsense")).toBe("changed");
      expect(await kv.set("f", "a", bytes("1"), null)).toBe("done");
      expect(await kv.set("f", "a", bytes("2"), null)).toBe("changed");
      const seen = (await kv.get("f", "a"))!.revision;
      expect(await kv.set("f", "a", bytes("2"), seen)).toBe("done");
      expect(await kv.set("f", "a", bytes("3"), seen)).toBe("changed");
      expect(textOf(await kv.get("f", "a"))).toBe("2");
    });

    test("let one of many writers over the same revision win", async () => {
      const kv = open();
      const race = (over: string | null) =>
        Promise.all(Array.from({ length: 20 }, (_, index) => kv.set("f", "a", bytes(`${index}`), over)));
      expect((await race(null)).filter((done) => done === "done")).toHaveLength(1);
      const { revision } = (await kv.get("f", "a"))!;
      expect((await race(revision)).filter((done) => done === "done")).toHaveLength(1);
    });

    test("count, and lose no increment of several at once", async () => {
      const kv = open();
      expect(await kv.increment("f", "n", 5n)).toBe(5n);
      expect(await kv.increment("f", "n", -7n)).toBe(-2n);
      expect(textOf(await kv.get("f", "n"))).toBe("-2");
      await Promise.all(Array.from({ length: 20 }, () => kv.increment("f", "m", 1n)));
      expect(textOf(await kv.get("f", "m"))).toBe("20");
    });

    test("count nothing that is no number of 64 bits, and leave it as it was", async () => {
      const kv = open();
      for (const text of ["", "x", "1.5", " 1", "1e3", "99999999999999999999"]) {
        await kv.set("f", "a", bytes(text));
        expect(await kv.increment("f", "a", 1n), text).toBe("no-number");
        expect(textOf(await kv.get("f", "a"))).toBe(text);
      }
      await kv.set("f", "a", bytes("9223372036854775807"));
      expect(await kv.increment("f", "a", 1n)).toBe("no-number");
      expect(await kv.increment("f", "a", -1n)).toBe(9223372036854775806n);
    });

    test("list keys page by page, in their order", async () => {
      const kv = open();
      const keys = Array.from({ length: 1_200 }, (_, index) => `k${String(index).padStart(4, "0")}`);
      for (let from = 0; from < keys.length; from += 200) {
        await Promise.all(keys.slice(from, from + 200).map((key) => kv.set("f", key, bytes(""))));
      }
      await kv.set("g", "other", bytes(""));
      const first = await kv.keys("f");
      expect(first.keys).toEqual(keys.slice(0, 1_000));
      expect(await kv.keys("f", first.next)).toEqual({ keys: keys.slice(1_000) });
      expect(await kv.keys("none")).toEqual({ keys: [] });
    });

    test("order keys by their bytes", async () => {
      const kv = open();
      const sorted = ["A", "a", "é", "\uffee", "😀"];
      for (const key of sorted.toReversed()) await kv.set("f", key, bytes(""));
      expect((await kv.keys("f")).keys).toEqual(sorted);
      expect((await kv.keys("f", "\uffee")).keys).toEqual(["😀"]);
    });

    test("take no more keys than they may hold, and any change of those that are there", async () => {
      const kv = open();
      const keys = Array.from({ length: keyValueBounds.keys }, (_, index) => `k${index}`);
      for (let from = 0; from < keys.length; from += 250) {
        await Promise.all(keys.slice(from, from + 250).map((key) => kv.set("f", key, bytes(""))));
      }
      expect(await kv.set("f", "one more", bytes(""))).toBe("full");
      expect(await kv.set("f", "one more", bytes(""), null)).toBe("full");
      expect(await kv.increment("f", "one more", 1n)).toBe("full");
      expect(await kv.set("f", "k0", bytes("0"))).toBe("done");
      expect(await kv.increment("f", "k0", 1n)).toBe(1n);
      expect(await kv.set("g", "one more", bytes(""))).toBe("done");
      await kv.delete("f", "k1");
      expect(await kv.set("f", "one more", bytes(""))).toBe("done");
    });

    if (reopen === undefined) return;

    test("are there after a restart, and give no revision out again", async () => {
      const kv = open();
      await kv.set("f", "a", bytes("1"));
      const { revision } = (await kv.get("f", "a"))!;
      await kv.delete("f", "a");
      await kv.set("f", "b", bytes("2"));
      const again = await reopen();
      expect(textOf(await again.get("f", "b"))).toBe("2");
      await again.set("f", "a", bytes("3"));
      expect((await again.get("f", "a"))?.revision).not.toBe(revision);
    });
  });
}
