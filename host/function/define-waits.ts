import type { LinkName, WaitDefinition } from "./definition.ts";
import { triggerStep, type EdgeDocument, type FunctionDocument } from "./document.ts";
import type { Compiled } from "./expression.ts";

/** The waits of a function, and which of them each edge shares. */
export interface Waits {
  readonly all: ReadonlyMap<string, WaitDefinition>;
  /** The id of an edge's wait. */
  of(edge: EdgeDocument): string | undefined;
  /** The links of waits that begin with this step or behind it, or with the run. */
  linksFor(step: string): readonly LinkName[];
  /** Those with an edge into one of these steps. */
  onWaysTo(steps: readonly string[]): readonly string[];
  /** Those on the ways that lead over an edge, its own included. */
  onWaysOver(edge: EdgeDocument): readonly string[];
}

interface WaitTools {
  /** Compiles a match. Throws where it is wrong. */
  match(source: string): Extract<Compiled, { ok: true }>;
  duration(text: string): number;
  /** All steps that a way leads from to each step. */
  readonly before: ReadonlyMap<string, readonly string[]>;
}

/** What is answered by a link whose document does not say. */
const defaultAnswers: readonly string[] = ["approve", "deny"];

/** For as long as any run goes on: ten years, in milliseconds. */
export const unlimitedMs = 10 * 366 * 24 * 3_600_000;

/** Begins the ids of waits that cancel their run. */
const cancels = "c";

/** Whether what ends a wait cancels its run: nothing of it waits for that. */
export function cancelsRun(wait: string): boolean {
  return wait.startsWith(cancels);
}

/** Edges from one step whose event, ttl and match are the same share one wait. */
export function defineWaits({ steps, onFailure, cancel = [] }: FunctionDocument, tools: WaitTools): Waits {
  const edges = Object.entries(steps).flatMap(([to, { after = [] }]) =>
    to === onFailure ? [] : after.map((edge) => ({ to, edge })),
  );
  const groups = new Map<string, { readonly edge: EdgeDocument; readonly to: string[] }>();
  for (const { to, edge } of edges) {
    const identity = identityOf(edge, tools);
    if (identity === undefined) continue;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, { edge, to: [to] });
    else group.to.push(to);
  }
  const numbered = [...groups].map(([identity, group], index) => ({
    identity,
    id: `w${index + 1}`,
    ...group,
  }));
  const ids = new Map(numbered.map(({ identity, id }) => [identity, id]));
  const of = (edge: EdgeDocument): string | undefined => ids.get(identityOf(edge, tools) ?? "");
  const onWaysTo: Waits["onWaysTo"] = (steps) => {
    const wanted = new Set(steps);
    return numbered.filter(({ to }) => to.some((step) => wanted.has(step))).map(({ id }) => id);
  };
  /** The step, if it is one, and all before it. */
  const upTo = (step: string): readonly string[] => {
    const earlier = tools.before.get(step);
    return earlier === undefined ? [] : [...earlier, step];
  };
  const waitOf = ({ id, edge, to }: (typeof numbered)[number]): WaitDefinition[] => {
    const { step: from, async } = edge;
    if (async === undefined) return [];
    const visible = upTo(from);
    const match = async.match === undefined ? undefined : tools.match(async.match);
    const leads = { leadsTo: [...new Set(to)], visible, before: onWaysTo(visible) };
    const index = match?.index === undefined ? {} : { index: match.index };
    const matching = match === undefined ? {} : { match: match.expression, ...index };
    const ttlMs = tools.duration(async.ttl);
    if (async.link === undefined)
      return [{ id, from, event: async.event ?? "", ttlMs, ...matching, ...leads }];
    const link = { name: async.link, answers: async.answers ?? defaultAnswers };
    return [{ id, from, event: `link/${async.link}`, ttlMs, link, ...leads }];
  };
  const cancelling = cancel.map((one, index): WaitDefinition => {
    const match = one.if === undefined ? undefined : tools.match(one.if);
    return {
      id: `${cancels}${index + 1}`,
      from: triggerStep,
      event: one.event,
      ttlMs: one.timeout === undefined ? unlimitedMs : tools.duration(one.timeout),
      ...(match === undefined ? {} : { match: match.expression }),
      ...(match?.index === undefined ? {} : { index: match.index }),
      cancels: true,
      leadsTo: [],
      visible: [],
      before: [],
    };
  });
  const links = numbered.flatMap(waitOf).filter(({ link }) => link !== undefined);
  return {
    linksFor: (step) =>
      links
        .filter(({ from, visible }) => from === triggerStep || visible.includes(step))
        .map(({ id, link }) => ({ name: link?.name ?? "", wait: id })),
    all: new Map([...numbered.flatMap(waitOf), ...cancelling].map((wait) => [wait.id, wait])),
    of,
    onWaysTo,
    onWaysOver(edge) {
      const own = edge.async?.onTimeout === true ? undefined : of(edge);
      return [...onWaysTo(upTo(edge.step)), ...(own === undefined ? [] : [own])];
    },
  };
}

function identityOf({ step, async }: EdgeDocument, { duration }: WaitTools): string | undefined {
  if (async === undefined) return undefined;
  const { event, ttl, match = "", link, answers } = async;
  return JSON.stringify([step, event, duration(ttl), match, link, answers]);
}
