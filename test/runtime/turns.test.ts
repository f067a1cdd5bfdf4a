import { describe, expect, test } from "vitest";
import { createTurns } from "../../runtime/turns.ts";

const { signal: never } = new AbortController();

describe("turns", () => {
  test("are given to as many at once as there may be, and then in order", async () => {
    const turns = createTurns(2);
    const given: number[] = [];
    const take = async (name: number) => {
      const end = await turns.take(never);
      given.push(name);
      return end;
    };
    const [first, second] = [await take(1), await take(2)];
    const third = take(3);
    const fourth = take(4);
    await Promise.resolve();
    expect(given).toEqual([1, 2]);
    second?.();
    (await third)?.();
    first?.();
    (await fourth)?.();
    expect(given).toEqual([1, 2, 3, 4]);
    expect(await Promise.all([take(5), take(6)])).toEqual([expect.any(Function), expect.any(Function)]);
  });

  test("are not given to those that no longer want one", async () => {
    const turns = createTurns(1);
    const end = await turns.take(never);
    const gone = new AbortController();
    const waiting = turns.take(gone.signal);
    const next = turns.take(never);
    gone.abort();
    expect(await waiting).toBeUndefined();
    expect(await turns.take(gone.signal)).toBeUndefined();
    end?.();
    expect(await next).toEqual(expect.any(Function));
  });
});
