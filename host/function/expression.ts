import { type CelError, type CelInput, celType, isCelError, parse, plan } from "@bufbuild/cel";
import type { Json } from "../../runtime/json.ts";
import { type Budget, createBudget } from "./budget.ts";
import { type Checked, type StepReference, checkExpression } from "./expression-check.ts";
import { demandedEquality, isScalar, type Scalar } from "./expression-index.ts";
import { createEnvironment } from "./expression-functions.ts";
import { describeSyntaxError } from "./expression-syntax.ts";
import type { Expr, ExpressionProblem, Loop, Parsed } from "./expression-tree.ts";
import { jsonOf } from "./expression-value.ts";
import { viewJson } from "./json-view.ts";

/** What an expression may name. */
export interface Scope {
  readonly event: unknown;
  readonly data: unknown;
  readonly user: unknown;
  readonly ts: unknown;
  readonly name: unknown;
  readonly steps?: unknown;
  readonly output?: unknown;
  /** The event that was waited for. */
  readonly async?: unknown;
  /** The events of a batch. */
  readonly events?: unknown;
  /** Why the step failed that an edge comes from. */
  readonly failure?: unknown;
}

/** What an evaluation gave; `missing`: a field the expression names is not there, which counts as false. */
export type Evaluation =
  | { readonly kind: "value"; readonly value: boolean }
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "error"; readonly message: string };

/** The same of an evaluation whose value may be any JSON. */
export type ValueEvaluation =
  | { readonly kind: "value"; readonly value: Json }
  | Exclude<Evaluation, { readonly kind: "value" }>;

/** A CEL expression that is true or false, compiled once. */
export interface Expression {
  readonly source: string;
  evaluate(scope: Scope): Evaluation;
}

/** A CEL expression that gives a value. */
export interface ValueExpression {
  readonly source: string;
  value(scope: Scope): ValueEvaluation;
}

/** What compiling gave: the expression and what it names, or all that is wrong, the first problem on top. */
export type Compiled =
  | {
      readonly ok: true;
      readonly expression: Expression & ValueExpression;
      readonly steps: readonly StepReference[];
      /** The names of Scope that it looks at. */
      readonly uses: ReadonlySet<string>;
      /** What it demands of `async`; undefined where that is no equality that an index could serve. */
      readonly index?: MatchIndex;
    }
  | ({ readonly ok: false; readonly problems: readonly ExpressionProblem[] } & ExpressionProblem);

/** What the event must have at a path for a match to be true, worked out without the event. */
export interface MatchIndex {
  readonly path: readonly string[];
  /** "never": whatever the event, the match is not true. "other": a value that an index can't serve. */
  value(
    scope: Scope,
  ): { readonly kind: "value"; readonly value: Scalar } | { readonly kind: "other" | "never" };
}

/** The names in scope of a trigger's expression. */
export const triggerNames: readonly (keyof Scope)[] = ["event", "data", "user", "ts", "name"];
/** The names in scope of a run's output, and of the items of a step. */
export const outputNames: readonly (keyof Scope)[] = [...triggerNames, "steps"];
/** The names in scope of an edge's `if`. */
export const edgeNames: readonly (keyof Scope)[] = [...triggerNames, "steps", "output"];
/** The names in scope of an edge that is taken when its step has failed. */
export const failureNames: readonly (keyof Scope)[] = [...triggerNames, "steps", "failure"];
/** The names in scope where an event was waited for. */
export const asyncNames: readonly (keyof Scope)[] = [...edgeNames, "async"];
/** All that an expression of a run may name. */
export const runNames: readonly (keyof Scope)[] = [...asyncNames, "events"];

/** Characters of an expression's source. */
const longestSource = 4096;
/** Units of work (see Budget) that one evaluation may cost: some tenths of a second at most. */
const workAnEvaluation = 400_000;

const tooMuchWork = { kind: "error", message: "it takes too much work on this event" } as const;

/** The name that a round of a loop pays under; no source can name it. */
const roundName = "@round";

/** Shared by all expressions without loops and patterns, which cost no more than their text is long. */
const plainEnvironment = createEnvironment(() => {});

/**
 * Compiles a CEL expression over `names` (all of Scope by default). Numbers of the event are doubles; an int
 * and a double compare and calculate with each other. Evaluating never throws, and its work is bounded.
 */
export function compileExpression(
  source: string,
  options: {
    readonly names?: readonly (keyof Scope)[];
    /** What it is to give; true or false by default. */
    readonly gives?: "condition" | "value";
    /** Characters of JSON that its value may have; 1 MiB by default. */
    readonly largest?: number;
  } = {},
): Compiled {
  if (source.trim() === "")
    return refuse([{ message: "it is empty; leave it out to take every event", offset: 0 }]);
  if (source.length > longestSource) {
    return refuse([
      { message: `it has ${source.length} characters; ${longestSource} are allowed`, offset: 0 },
    ]);
  }
  let parsed: Parsed;
  try {
    parsed = parse(source);
  } catch (error) {
    return refuse([describeSyntaxError(source, error)]);
  }
  const checked = checkExpression(parsed, plainEnvironment, {
    roots: options.names ?? edgeNames,
    condition: options.gives !== "value",
  });
  if (checked.problems.length > 0) return refuse(checked.problems);
  for (const loop of checked.loops) meter(loop);
  let budget: Budget | undefined;
  const metered = checked.usesPatterns || checked.loops.length > 0;
  const environment = metered ? createEnvironment((units) => budget?.spend(units)) : plainEnvironment;
  try {
    const planned = (part: Parsed) => {
      const run = plan(environment, part);
      return (scope: Scope) => {
        budget = createBudget(workAnEvaluation, checked.nodes);
        const result = run(new Bindings(scope, budget) as unknown as Record<string, CelInput>);
        return budget.exhausted ? undefined : result;
      };
    };
    const run = planned(parsed);
    const value = (scope: Scope): ValueEvaluation => {
      const result = run(scope);
      if (result === undefined) return tooMuchWork;
      if (isCelError(result)) return failure(result, checked);
      const json = jsonOf(result, options.largest);
      return json.ok ? { kind: "value", value: json.value } : { kind: "error", message: json.message };
    };
    const evaluate = (scope: Scope): Evaluation => {
      const result = run(scope);
      if (result === undefined) return tooMuchWork;
      if (typeof result === "boolean") return { kind: "value", value: result };
      if (isCelError(result)) return failure(result, checked);
      return {
        kind: "error",
        message: `it gives a value of type ${celType(result).name}, not true or false`,
      };
    };
    const demanded =
      parsed.expr !== undefined && checked.uses.has("async")
        ? demandedEquality(parsed.expr, "async")
        : undefined;
    return {
      ok: true,
      expression: { source, evaluate, value },
      steps: checked.steps,
      uses: checked.uses,
      ...(demanded === undefined
        ? {}
        : { index: indexOf(demanded.path, planned({ ...parsed, expr: demanded.other })) }),
    };
  } catch (error) {
    return refuse([{ message: (error as Error).message, offset: 0 }]);
  }
}

function indexOf(path: readonly string[], run: (scope: Scope) => unknown): MatchIndex {
  return {
    path,
    value(scope) {
      const result = run(scope);
      if (result === undefined || isCelError(result)) return { kind: "never" };
      if (typeof result === "bigint") return { kind: "value", value: Number(result) };
      return isScalar(result) ? { kind: "value", value: result } : { kind: "other" };
    },
  };
}

function refuse(problems: readonly ExpressionProblem[]): Compiled {
  const [first = { message: "it is not an expression" }] = problems;
  return { ok: false, ...first, problems };
}

/** Binds the names lazily: an expression pays for what it looks at, not for the size of the event. */
class Bindings {
  readonly #scope: Scope;
  readonly #budget: Budget;

  constructor(scope: Scope, budget: Budget) {
    this.#scope = scope;
    this.#budget = budget;
  }

  get event(): CelInput | undefined {
    return viewJson(this.#scope.event, this.#budget);
  }
  get data(): CelInput | undefined {
    return viewJson(this.#scope.data, this.#budget);
  }
  get user(): CelInput | undefined {
    return viewJson(this.#scope.user, this.#budget);
  }
  get ts(): CelInput | undefined {
    return viewJson(this.#scope.ts, this.#budget);
  }
  get name(): CelInput | undefined {
    return viewJson(this.#scope.name, this.#budget);
  }
  get steps(): CelInput | undefined {
    return viewJson(this.#scope.steps, this.#budget);
  }
  get output(): CelInput | undefined {
    return viewJson(this.#scope.output, this.#budget);
  }
  get async(): CelInput | undefined {
    return viewJson(this.#scope.async, this.#budget);
  }
  get events(): CelInput | undefined {
    return viewJson(this.#scope.events, this.#budget);
  }
  get failure(): CelInput | undefined {
    return viewJson(this.#scope.failure, this.#budget);
  }
  /** Read once a round by every loop. */
  get [roundName](): boolean {
    this.#budget.round();
    return true;
  }
}

/** Has every round of a loop pay: the loop goes on while its own condition holds and the budget lasts. */
function meter(loop: Loop): void {
  const condition = loop.loopCondition;
  if (condition === undefined) return;
  const round: Expr = {
    ...condition,
    exprKind: { case: "identExpr", value: { $typeName: "cel.expr.Expr.Ident", name: roundName } },
  };
  loop.loopCondition = {
    ...condition,
    exprKind: {
      case: "callExpr",
      value: { $typeName: "cel.expr.Expr.Call", function: "_&&_", args: [condition, round] },
    },
  };
}

/** Only if nothing but absence went wrong is a failure "missing". */
function failure(error: CelError, checked: Checked): Exclude<Evaluation, { readonly kind: "value" }> {
  const all = flatten(error);
  const wrong = all.find((one) => !isMissing(one.message));
  if (wrong !== undefined) return { kind: "error", message: wrong.message };
  const name = error.exprId === undefined ? undefined : checked.names.get(error.exprId);
  const message =
    error.message === unresolved && name !== undefined ? `\`${name}\` is not there` : error.message;
  return { kind: "missing", message };
}

const unresolved = "unresolved attribute";

function isMissing(message: string): boolean {
  return (
    message === unresolved ||
    message.startsWith("field not found: ") ||
    /^index \S+ out of bounds/.test(message)
  );
}

function flatten(error: CelError): CelError[] {
  const rest = Array.isArray(error.cause) ? (error.cause as unknown[]).filter(isCelError) : [];
  return [error, ...rest.flatMap(flatten)];
}
