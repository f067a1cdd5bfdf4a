/** A directed graph: each node with the nodes its edges come from. Edges from unknown nodes are left out of account. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** Every node behind all nodes it has edges from; nodes on or behind a cycle are left out. Stable: ties as given. */
export function topologicalOrder(graph: Graph): string[] {
  const { open, next } = invert(graph);
  const order = [...graph.keys()].filter((node) => open.get(node) === 0);
  for (let at = 0; at < order.length; at += 1) {
    for (const node of next.get(order[at] as string) ?? []) {
      const left = (open.get(node) ?? 0) - 1;
      open.set(node, left);
      if (left === 0) order.push(node);
    }
  }
  return order;
}

/** The nodes that a way leads to from a node without edges; the others are on or behind a cycle. */
export function reachable(graph: Graph): ReadonlySet<string> {
  const { open, next } = invert(graph);
  const found = new Set([...graph.keys()].filter((node) => open.get(node) === 0));
  for (const node of found) for (const follower of next.get(node) ?? []) found.add(follower);
  return found;
}

/** For each node in topological order, all nodes that a way leads from to it, in that order. */
export function ancestors(graph: Graph, order: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, ReadonlySet<string>>();
  for (const node of order) {
    const all = new Set<string>();
    for (const source of graph.get(node) ?? []) {
      if (!before.has(source)) continue;
      all.add(source);
      for (const ancestor of before.get(source) ?? []) all.add(ancestor);
    }
    before.set(node, all);
  }
  const place = new Map(order.map((node, index) => [node, index]));
  const byPlace = (left: string, right: string): number => (place.get(left) ?? 0) - (place.get(right) ?? 0);
  return new Map([...before].map(([node, all]) => [node, [...all].toSorted(byPlace)]));
}

function invert(graph: Graph): { open: Map<string, number>; next: Map<string, string[]> } {
  const open = new Map<string, number>();
  const next = new Map<string, string[]>();
  for (const [node, from] of graph) {
    let count = 0;
    for (const source of new Set(from)) {
      if (!graph.has(source)) continue;
      count += 1;
      const followers = next.get(source);
      if (followers === undefined) next.set(source, [node]);
      else followers.push(node);
    }
    open.set(node, count);
  }
  return { open, next };
}
