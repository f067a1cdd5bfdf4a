import type { Json } from "../../runtime/json.ts";
import type { Clock, Random } from "../clock.ts";
import type { GateDocument, Gates } from "../state/state.ts";

/** What a decision over a document comes to. Depends on the document and its own arguments alone. */
export interface Decision<T, R> {
  readonly result: R;
  /** The document from now on; absent: it stays as it is. */
  readonly value?: T;
  /** When it may go, from now on; for good by default. */
  readonly keepMs?: number;
}

/** Documents of flow control, changed by decisions. */
export interface Documents<T extends Json> {
  /**
   * Resolves to the decision's result once that is durable, or as sure as what is stored. The decision is made anew
   * when another host was before. Throws when the store fails: whether the change was made is not known then.
   */
  change<R>(key: string, decide: (value: T | undefined) => Decision<T, R>): Promise<R>;
}

interface DocumentsOptions {
  readonly gates: Gates;
  readonly clock: Clock;
  readonly random: Random;
  /** Documents that are remembered: of one that is known, nothing is read before it is changed. */
  readonly remembered: number;
}

interface Waiting<T> {
  decide(value: T | undefined): Decision<T, unknown>;
  resolve(result: never): void;
  reject(error: unknown): void;
}

/** The pause after another host was before, at most, in milliseconds: it doubles from 1 on. */
const longestPauseMs = 64;

/** Decisions over a document that come while a change of it is under way are stored together, as one change. */
export function createDocuments<T extends Json>(options: DocumentsOptions): Documents<T> {
  const { gates, clock, random, remembered } = options;
  const known = new Map<string, GateDocument | undefined>();
  const underWay = new Map<string, Waiting<T>[]>();

  const remember = (key: string, document: GateDocument | undefined): void => {
    known.delete(key);
    known.set(key, document);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
  };

  const decideAll = async (key: string, group: readonly Waiting<T>[]): Promise<readonly unknown[]> => {
    let fresh = !known.has(key);
    let document = fresh ? await gates.load(key) : known.get(key);
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const { value, keepMs, changed, results } = decided(document?.value as T | undefined, group);
      if (!changed && fresh) {
        remember(key, document);
        return results;
      }
      const over = document?.revision ?? null;
      if (changed) {
        const revision = await gates.store(key, value as T, over, keepMs);
        if (revision !== undefined) {
          remember(key, { revision, value: value as T });
          return results;
        }
        if (fresh) await pause(random() * pauseMs);
      }
      document = await gates.load(key);
      fresh = true;
    }
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.schedule(clock.now() + Math.ceil(ms), resolve));

  const work = async (key: string, waiting: Waiting<T>[]): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting.splice(0);
      try {
        const results = await decideAll(key, group);
        group.forEach(({ resolve }, index) => resolve(results[index] as never));
      } catch (error) {
        known.delete(key);
        for (const { reject } of group) reject(error);
      }
    }
    underWay.delete(key);
  };

  return {
    change: (key, decide) =>
      new Promise((resolve, reject) => {
        const waiting = underWay.get(key);
        const one: Waiting<T> = { decide, resolve, reject };
        if (waiting !== undefined) {
          waiting.push(one);
          return;
        }
        const first = [one];
        underWay.set(key, first);
        void work(key, first);
      }),
  };
}

/** What all decisions come to, each on top of those before it. */
function decided<T>(first: T | undefined, group: readonly Waiting<T>[]) {
  let value = first;
  let keepMs: number | undefined;
  let changed = false;
  const results = group.map(({ decide }) => {
    const decision = decide(value);
    if (decision.value !== undefined) {
      ({ value, keepMs } = decision);
      changed = true;
    }
    return decision.result;
  });
  return { value, keepMs, changed, results };
}
