/**
 * A directed graph: each node with the nodes its edges come from. An edge from a node that is not there counts
 * as none. Nothing here recurses: a chain may be as long as memory holds.
 */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** Every node behind all nodes it has edges from; nodes on or behind a cycle are left out. Stable: ties as given. */
export function topologicalOrder(graph: Graph): string[] {
  const next = followers(graph);
  const open = new Map([...graph.keys()].map((node) => [node, sourcesOf(graph, node).size]));
  const order = [...graph.keys()].filter((node) => open.get(node) === 0);
  // The array grows while it is walked.
  for (const node of order) {
    for (const follower of next.get(node) ?? []) {
      const left = (open.get(follower) ?? 0) - 1;
      open.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  return order;
}

/** The nodes that a way leads to from one of `roots`, the roots included. */
export function reachable(graph: Graph, roots: Iterable<string>): ReadonlySet<string> {
  const next = followers(graph);
  const found = new Set([...roots].filter((root) => graph.has(root)));
  // The set grows while it is walked.
  for (const node of found) for (const follower of next.get(node) ?? []) found.add(follower);
  return found;
}

/** For each node in topological order, all nodes that a way leads from to it, in that order. */
export function ancestors(graph: Graph, order: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, ReadonlySet<string>>();
  for (const node of order) {
    const all = new Set<string>();
    for (const source of sourcesOf(graph, node)) {
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

/**
 * Cycles that together use every edge whose removal makes the graph free of them: [a, b, a] when b follows a and a
 * follows b. The same cycle once; a graph with n such edges gives at most n cycles.
 */
export function cycles(graph: Graph): readonly (readonly string[])[] {
  const next = followers(graph);
  const found: string[][] = [];
  const done = new Set<string>();
  for (const root of graph.keys()) {
    if (done.has(root)) continue;
    const path: string[] = [root];
    const places = new Map([[root, 0]]);
    const ways = [iterate(next, root)];
    while (ways.length > 0) {
      const step = (ways.at(-1) as Iterator<string>).next();
      if (step.done === true) {
        ways.pop();
        const left = path.pop() as string;
        places.delete(left);
        done.add(left);
        continue;
      }
      const place = places.get(step.value);
      if (place !== undefined) found.push([...path.slice(place), step.value]);
      else if (!done.has(step.value)) {
        places.set(step.value, path.length);
        path.push(step.value);
        ways.push(iterate(next, step.value));
      }
    }
  }
  return found;
}

/** The nodes that lie on some cycle. */
export function onCycles(graph: Graph): ReadonlySet<string> {
  const next = followers(graph);
  const result = new Set<string>();
  const grouped = new Set<string>();
  // Kosaraju: in the reverse order of leaving, a walk against the edges stays within one group of mutual ways.
  for (const root of leavingOrder(graph, next).toReversed()) {
    if (grouped.has(root)) continue;
    const group = new Set([root]);
    for (const node of group) {
      grouped.add(node);
      for (const source of sourcesOf(graph, node)) if (!grouped.has(source)) group.add(source);
    }
    const alone = group.size === 1 && !(next.get(root) ?? []).includes(root);
    if (!alone) for (const node of group) result.add(node);
  }
  return result;
}

/** The nodes in the order in which a depth-first walk leaves them for good. */
function leavingOrder(graph: Graph, next: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  for (const root of graph.keys()) {
    if (seen.has(root)) continue;
    seen.add(root);
    const path: { readonly node: string; readonly ways: Iterator<string> }[] = [
      { node: root, ways: iterate(next, root) },
    ];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const step = top.ways.next();
      if (step.done === true) {
        path.pop();
        order.push(top.node);
      } else if (!seen.has(step.value)) {
        seen.add(step.value);
        path.push({ node: step.value, ways: iterate(next, step.value) });
      }
    }
  }
  return order;
}

function iterate(next: ReadonlyMap<string, readonly string[]>, node: string): Iterator<string> {
  return (next.get(node) ?? []).values();
}

function sourcesOf(graph: Graph, node: string): ReadonlySet<string> {
  return new Set((graph.get(node) ?? []).filter((source) => graph.has(source)));
}

function followers(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, string[]>();
  for (const node of graph.keys()) {
    for (const source of sourcesOf(graph, node)) {
      const list = next.get(source);
      if (list === undefined) next.set(source, [node]);
      else list.push(node);
    }
  }
  return next;
}
