import type { GateDocument, Gates } from "../state/state.ts";

/** Documents that one process has to itself and that end with it: handed out and taken as they are, not copied. */
export function createMemoryGates(): Gates {
  const documents = new Map<string, GateDocument>();
  let revisions = 0;
  return {
    load: async (key) => documents.get(key),
    async store(key, value, over) {
      if ((documents.get(key)?.revision ?? null) !== over) return undefined;
      revisions += 1;
      documents.set(key, { revision: revisions, value });
      return revisions;
    },
  };
}
