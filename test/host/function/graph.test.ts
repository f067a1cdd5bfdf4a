import { describe, expect, test } from "vitest";
import {
  type Graph,
  ancestors,
  cycles,
  onCycles,
  reachable,
  topologicalOrder,
} from "../../../host/function/graph.ts";
import { seeded } from "../../random.ts";

/** A graph from lines such as "c: a b": c has edges from a and b. */
function graphOf(...lines: string[]): Graph {
  return new Map(
    lines.map((line) => {
      const [node = "", from = ""] = line.split(":");
      return [node, from.split(" ").filter((source) => source !== "")];
    }),
  );
}

describe("the order of steps", () => {
  test.each([
    [["a:", "b: a", "c: b"], "a b c"],
    [["c: b", "b: a", "a:"], "a b c"],
    [["a:", "b:", "c: a b", "d: c"], "a b c d"],
    [["end: left right", "left: begin", "right: begin", "begin:"], "begin left right end"],
    [["a: $trigger", "b: a nowhere"], "a b"],
    [["a: a", "b: a", "c:"], "c"],
    [["a: a2", "a2: a", "b: a", "c:", "d: c"], "c d"],
    [["a:", "b: a a a"], "a b"],
  ])("%j", (lines, order) => {
    expect(topologicalOrder(graphOf(...lines)).join(" ")).toBe(order);
  });

  test("holds for random graphs: each step comes behind all it has edges from", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const graph = randomGraph(seed, false);
      const order = topologicalOrder(graph);
      expect(order.toSorted()).toEqual([...graph.keys()].toSorted());
      const place = new Map(order.map((node, index) => [node, index]));
      for (const [node, from] of graph) {
        for (const source of from) expect(place.get(source)).toBeLessThan(place.get(node) ?? -1);
      }
    }
  });
});

describe("cycles", () => {
  test.each([
    [["a:", "b: a"], []],
    [["a: a"], ["a a"]],
    [["a: b", "b: a"], ["a b a"]],
    [["a: c", "b: a", "c: b"], ["a b c a"]],
    [
      ["a: b c", "b: a", "c: a"],
      ["a b a", "a c a"],
    ],
    [
      ["x:", "a: x b", "b: a", "c: d", "d: c"],
      ["a b a", "c d c"],
    ],
    [["a: b nowhere", "b: a"], ["a b a"]],
  ])("%j", (lines, found) => {
    expect(cycles(graphOf(...lines)).map((cycle) => cycle.join(" "))).toEqual(found);
  });

  test("each runs along edges and closes, and without their last edges the graph has none", () => {
    let total = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const graph = randomGraph(seed, true);
      const found = cycles(graph);
      total += found.length;
      const left = new Map([...graph].map(([node, from]) => [node, new Set(from)]));
      for (const cycle of found) {
        expect(cycle.at(0)).toBe(cycle.at(-1));
        for (let at = 1; at < cycle.length; at += 1) {
          expect(graph.get(cycle[at] ?? "")).toContain(cycle[at - 1]);
        }
        left.get(cycle.at(-1) ?? "")?.delete(cycle.at(-2) ?? "");
      }
      const open: Graph = new Map([...left].map(([node, from]) => [node, [...from]]));
      expect(topologicalOrder(open)).toHaveLength(graph.size);
      expect(found.length === 0).toBe(topologicalOrder(graph).length === graph.size);
    }
    expect(total).toBeGreaterThan(100);
  });

  test("a node is on one exactly when a way leads from it back to it", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const graph = randomGraph(seed, true);
      const on = onCycles(graph);
      for (const node of graph.keys()) {
        const followers = [...graph].flatMap(([other, from]) => (from.includes(node) ? [other] : []));
        expect(on.has(node), `seed ${seed}, ${node}`).toBe(reachable(graph, followers).has(node));
      }
    }
  });
});

describe("reach and ancestry", () => {
  test("reach follows the edges from the roots", () => {
    const graph = graphOf("a:", "b: a", "c: d", "d: c", "e: c", "f: e b");
    expect([...reachable(graph, ["a"])].join(" ")).toBe("a b f");
    expect([...reachable(graph, ["c", "absent"])].join(" ")).toBe("c d e f");
  });

  test("ancestors are all steps before one, however far, each once", () => {
    const graph = graphOf("a:", "b: a", "c: a", "d: b c", "e: d", "x:");
    const before = ancestors(graph, topologicalOrder(graph));
    expect(before.get("a")).toEqual([]);
    expect(before.get("d")).toEqual(["a", "b", "c"]);
    expect(before.get("e")).toEqual(["a", "b", "c", "d"]);
    expect(before.get("x")).toEqual([]);
  });

  test("a chain of 100,000 steps is no deeper than one of two", () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `s${index}`);
    const chain: Graph = new Map(
      names.map((name, index) => [name, index === 0 ? [] : [names[index - 1] ?? ""]]),
    );
    expect(topologicalOrder(chain)).toEqual(names);
    expect(cycles(chain)).toEqual([]);
    const ring: Graph = new Map([...chain, ["s0", ["s99999"]]]);
    expect(cycles(ring)).toHaveLength(1);
    expect(onCycles(ring).size).toBe(100_000);
  });
});

/** A graph of up to 12 nodes; without cycles, edges only come from nodes before. */
function randomGraph(seed: number, cyclic: boolean): Graph {
  const random = seeded(seed);
  const names = Array.from({ length: 2 + random(11) }, (_, index) => `n${index}`);
  const entries = names.map((name, index): [string, string[]] => {
    const sources = cyclic ? names : names.slice(0, index);
    return [name, sources.filter(() => random(5) === 0)];
  });
  // The order in which they are written must not matter.
  return new Map(entries.toSorted(() => random(3) - 1));
}
