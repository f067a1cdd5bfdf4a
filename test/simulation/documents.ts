import {
  triggerStep,
  type EdgeDocument,
  type FunctionDocument,
  type StepDocument,
} from "../../host/function/document.ts";
import { functionVersion } from "../../host/function/define.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import type { RuntimeName } from "../../runtime/driver.ts";
import { type Chance, createChance } from "./chance.ts";
import { withCompensations, withFailureEdges } from "./documents-failing.ts";
import { awaitedName, withItems } from "./documents-items.ts";

/** The events of a simulation. */
export const eventNames = ["order/placed", "user/signed.up"] as const;

export const allNames = [...eventNames, awaitedName, awaitedName] as const;

/** The matches of waits: every event, by a key, or by a look at each. */
export const sameKey = "async.data.key == event.data.key";
export const largeToo = "async.data.large";

/** The runtimes that the steps of a simulation may have. */
export const runtimes: readonly RuntimeName[] = ["wasm", "docker", "http"];

/** The one expression of triggers: about half of the events are large. */
const largeOnly = "data.large";
/** The key by which events are collected, where there is one, and which of them. */
export const keyToJoin = "data.key";
export const largeToJoin = "data.large";
/** The one expression of edges: about half of the outputs are so. */
export const flagged = "output.flag";

/** What a document says of flow control: the same in all versions of a function, so that what must hold is known. */
export type Controls = Pick<
  FunctionDocument,
  "concurrency" | "priority" | "idempotency" | "singleton" | "rateLimit" | "throttle" | "startTimeout"
>;

/** The one key of controls. */
const byKey = "event.data.key";
/** Longer than any simulation. */
const forGood = "300d";

/** `limit`: of all limits of a simulation. */
export function randomControls(chance: Chance, limit: number): Controls {
  const own = [{ limit }, { limit, key: byKey }];
  const shared = { limit, scope: "shared", name: "s" } as const;
  const some = [...own, shared, { ...shared, name: "k", key: byKey }].filter(() => chance.happens(0.4));
  const rate = { limit: 2, ...(chance.happens(0.5) ? { key: byKey } : {}) };
  return {
    ...(chance.happens(0.5) && some.length > 0
      ? { concurrency: some, ...(chance.happens(0.3) ? { priority: byKey } : {}) }
      : {}),
    ...(chance.happens(0.1) ? { idempotency: { key: byKey, period: forGood } } : {}),
    ...(chance.happens(0.15) ? { singleton: { key: byKey, mode: chance.pick(["skip", "cancel"]) } } : {}),
    ...(chance.happens(0.1) ? { rateLimit: { ...rate, period: forGood } } : {}),
    ...(chance.happens(0.15) ? { throttle: { ...rate, period: chance.pick(["1s", "8s"]) } } : {}),
    ...(chance.happens(0.1) ? { startTimeout: chance.pick(["5s", "30s"]) } : {}),
  };
}

/** A version of a function made by chance: joins, conditions, waits, retries and runtimes in any combination. */
export function randomVersion(
  chance: Chance,
  id: string,
  createdAt: number,
  controls: Controls = {},
): FunctionVersion {
  const count = chance.between(1, 6);
  // Most functions need one runtime only; the others go from host to host.
  const mixed = chance.happens(0.5);
  const usual = chance.pick(runtimes);
  const steps: Record<string, StepDocument> = {};
  for (let i = 0; i < count; i++) {
    const before = Object.keys(steps);
    const step = randomStep(chance, before, mixed ? chance.pick(runtimes) : usual);
    const invoke = chance.happens(0.15) ? randomInvoke(chance, id) : undefined;
    steps[`s${i}`] = invoke === undefined ? step : invoking(step, invoke);
  }
  const handled = chance.happens(0.3);
  if (handled) steps["rescue"] = { runtime: { type: mixed ? chance.pick(runtimes) : usual } };
  const document: FunctionDocument = {
    id,
    triggers: [{ event: chance.pick(eventNames), ...(chance.happens(0.3) ? { expression: largeOnly } : {}) }],
    steps,
    retry: { retries: chance.between(0, 3), backoff: { initial: chance.pick(["100ms", "1s", "5s"]) } },
    ...(handled ? { onFailure: "rescue" } : {}),
    ...(chance.happens(0.15) ? { cancel: [{ event: awaitedName, if: sameKey }] } : {}),
    ...(chance.happens(0.15) ? { timeout: chance.pick(["10s", "2m"]) } : {}),
    ...controls,
  };
  return functionVersion(withMore({ ...document, ...collecting(document) }), {}, createdAt);
}

/** Decisions of a document's own, so that the others of a seed stay as they are. */
function chanceOf(document: FunctionDocument, salt: number): Chance {
  const text = Buffer.from(JSON.stringify(document));
  return createChance(text.reduce((sum, byte) => (sum * 31 + byte) | 0, salt));
}

/** Items, edges from failures, and what undoes steps: most documents have one of them, and some have all. */
function withMore(document: FunctionDocument): FunctionDocument {
  const chance = chanceOf(document, 11);
  const [items, failing, undone] = [chance.happens(0.35), chance.happens(0.25), chance.happens(0.35)];
  const types = Object.values(document.steps).flatMap((step) => step.runtime?.type ?? []);
  let all = document;
  if (items) all = withItems(all, chance);
  if (failing) all = withFailureEdges(all, chance);
  const runtime = () => chance.pick(types.length === 0 ? runtimes : types);
  if (undone) all = withCompensations(all, chance, () => randomInvoke(chance, document.id), runtime);
  return all;
}

/** How the function collects events, if it does. */
function collecting(document: FunctionDocument): Pick<FunctionDocument, "batch" | "debounce"> {
  const chance = chanceOf(document, 7);
  const { idempotency, singleton, rateLimit, throttle } = document;
  const single = [idempotency, singleton, rateLimit, throttle].some((control) => control !== undefined);
  if (single || !chance.happens(0.3)) return {};
  const key = chance.happens(0.6) ? { key: keyToJoin } : {};
  if (chance.happens(0.5)) {
    const timeout = chance.happens(0.5) ? { timeout: chance.pick(["5s", "30s"]) } : {};
    return { debounce: { period: chance.pick(["200ms", "2s", "5s"]), ...key, ...timeout } };
  }
  const some = chance.happens(0.2) ? { if: largeToJoin } : {};
  return {
    batch: { maxSize: chance.between(1, 4), timeout: chance.pick(["500ms", "5s", "1m"]), ...key, ...some },
  };
}

/** Of a function before this one, so that none starts itself: f0 comes first. */
function randomInvoke(chance: Chance, id: string): StepDocument["invoke"] {
  const own = Number(id.slice(1));
  if (own === 0) return undefined;
  const timeout = chance.pick([undefined, undefined, "3s", "2m"]);
  return {
    function: `f${chance.below(own)}`,
    data: { large: chance.happens(0.5), key: "data.key" },
    ...(timeout === undefined ? {} : { timeout }),
  };
}

function invoking(step: StepDocument, invoke: NonNullable<StepDocument["invoke"]>): StepDocument {
  const { runtime: _, capabilities: __, ...rest } = step;
  return { ...rest, invoke, retry: { retries: 1 } };
}

function randomStep(chance: Chance, before: readonly string[], type: RuntimeName): StepDocument {
  const parents = before.filter(() => chance.happens(0.5)).slice(-3);
  if (parents.length === 0 && chance.happens(0.2)) parents.push(triggerStep);
  const after = parents.map((step) => randomEdge(chance, step));
  return {
    runtime: { type },
    ...(chance.happens(0.1) ? { capabilities: { emit: ["order/*", "user/signed.up"] } } : {}),
    ...(after.length === 0 ? {} : { after }),
    ...(after.length > 1 && chance.happens(0.4) ? { join: "any" as const } : {}),
  };
}

function randomEdge(chance: Chance, step: string): EdgeDocument {
  return {
    step,
    ...(chance.happens(0.3) ? { async: randomWait(chance) } : {}),
    ...(step !== triggerStep && chance.happens(0.2) ? { if: flagged } : {}),
    ...(chance.happens(0.2) ? { wait: chance.pick(["200ms", "1s", "3s", "20s", "2m"]) } : {}),
  };
}

/** Few of each, so that edges share waits, and one event ends several. */
function randomWait(chance: Chance): NonNullable<EdgeDocument["async"]> {
  const match = chance.pick([undefined, sameKey, sameKey, largeToo]);
  return {
    event: chance.pick([awaitedName, awaitedName, eventNames[0]]),
    ttl: chance.pick(["500ms", "3s", "20s"]),
    ...(match === undefined ? {} : { match }),
    ...(chance.happens(0.4) ? { onTimeout: true } : {}),
  };
}
