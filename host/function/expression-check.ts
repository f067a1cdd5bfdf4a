import { nearest } from "../nearest.ts";
import { checkCall } from "./expression-calls.ts";
import type { Environment } from "./expression-functions.ts";
import type { Call, Expr, ExpressionProblem, Loop, Parsed } from "./expression-tree.ts";

/** A step that an expression names as `steps.id` or `steps["id"]`. */
export interface StepReference {
  readonly step: string;
  readonly offset: number;
}

/** What a look at a parsed expression found out. */
export interface Checked {
  readonly problems: readonly ExpressionProblem[];
  readonly steps: readonly StepReference[];
  /** Those of the roots that it looks at. */
  readonly uses: ReadonlySet<string>;
  readonly loops: readonly Loop[];
  /** The names by their node's id, for messages. */
  readonly names: ReadonlyMap<bigint, string>;
  readonly usesPatterns: boolean;
  /** How many nodes the tree has. */
  readonly nodes: number;
}

/** Loops within loops; the work of an evaluation grows with this power of the lists' sizes. */
const deepestLoops = 4;
/** The evaluator recurses once a level. */
const deepestTree = 250;

const typeNames = new Set("bool bytes double int list map null_type string type uint google".split(" "));

/** The names that loops around a node have bound. */
interface Bound {
  readonly name: string;
  readonly outer: Bound | undefined;
}

interface Visit {
  readonly expr: Expr;
  readonly bound: Bound | undefined;
  readonly depth: number;
  readonly loops: number;
}

/** Looks for names, functions, patterns and numbers that can't be right whatever the event. `condition`: it must be one. */
export function checkExpression(
  parsed: Parsed,
  environment: Environment,
  { roots, condition }: { readonly roots: readonly string[]; readonly condition: boolean },
): Checked {
  const problems: ExpressionProblem[] = [];
  const steps: StepReference[] = [];
  const loops: Loop[] = [];
  const uses = new Set<string>();
  const names = new Map<bigint, string>();
  let usesPatterns = false;
  let nodes = 0;
  const offsetOf = (expr: Expr): number => parsed.sourceInfo?.positions[expr.id.toString()] ?? 0;
  const report = (expr: Expr, message: string, suggestion?: string): void => {
    problems.push({ message, offset: offsetOf(expr), ...(suggestion === undefined ? {} : { suggestion }) });
  };

  const open: Visit[] =
    parsed.expr === undefined ? [] : [{ expr: parsed.expr, bound: undefined, depth: 1, loops: 0 }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const { expr, bound, depth } = visit;
    nodes += 1;
    if (depth > deepestTree) {
      report(expr, `it nests deeper than ${deepestTree} levels`);
      break;
    }
    const enter = (child: Expr | undefined, inner = bound, nested = visit.loops): void => {
      if (child !== undefined) open.push({ expr: child, bound: inner, depth: depth + 1, loops: nested });
    };
    const kind = expr.exprKind;
    switch (kind.case) {
      case "identExpr": {
        const name = kind.value.name.replace(/^\./, "");
        names.set(expr.id, name);
        if (isBound(bound, name)) break;
        if (roots.includes(name)) uses.add(name);
        if (roots.includes(name) || typeNames.has(name)) break;
        report(
          expr,
          `there is no \`${name}\` here; an expression may name ${roots.join(", ")}`,
          nearest(name, roots),
        );
        break;
      }
      case "selectExpr":
        if (isSteps(kind.value.operand, bound))
          steps.push({ step: kind.value.field, offset: offsetOf(expr) });
        enter(kind.value.operand);
        break;
      case "callExpr": {
        const step = isSteps(kind.value.args[0], bound) ? indexOfCall(kind.value) : undefined;
        if (step !== undefined) steps.push({ step, offset: offsetOf(expr) });
        usesPatterns ||= kind.value.function === "matches";
        const wrong = checkCall(kind.value, environment);
        if (wrong !== undefined) report(expr, wrong.message, wrong.suggestion);
        enter(kind.value.target);
        for (const argument of kind.value.args) enter(argument);
        break;
      }
      case "listExpr":
        for (const element of kind.value.elements) enter(element);
        break;
      case "structExpr":
        for (const entry of kind.value.entries) {
          if (entry.keyKind.case === "mapKey") enter(entry.keyKind.value);
          enter(entry.value);
        }
        break;
      case "comprehensionExpr": {
        const loop = kind.value;
        loops.push(loop);
        if (visit.loops === deepestLoops) report(expr, `loops nest deeper than ${deepestLoops}`);
        const result = { name: loop.accuVar, outer: bound };
        const round = { name: loop.iterVar, outer: result };
        enter(loop.iterRange);
        enter(loop.accuInit);
        enter(loop.loopCondition, round, visit.loops + 1);
        enter(loop.loopStep, round, visit.loops + 1);
        enter(loop.result, result);
        break;
      }
      case "constExpr": {
        const constant = kind.value.constantKind;
        const fits =
          constant.case === "int64Value"
            ? BigInt.asIntN(64, constant.value) === constant.value
            : constant.case !== "uint64Value" || BigInt.asUintN(64, constant.value) === constant.value;
        if (!fits) report(expr, "a whole number has at most 64 bits; write 1e30 for a larger one");
        break;
      }
      default:
        report(expr, "it is not complete");
    }
  }
  if (condition && parsed.expr !== undefined && isNeverBoolean(parsed.expr)) {
    report(parsed.expr, "it is never true or false");
  }
  steps.sort((left, right) => left.offset - right.offset);
  problems.sort((left, right) => (left.offset ?? 0) - (right.offset ?? 0));
  return { problems, steps, uses, loops, names, usesPatterns, nodes };
}

function isNeverBoolean({ exprKind }: Expr): boolean {
  if (exprKind.case === "constExpr") return exprKind.value.constantKind.case !== "boolValue";
  return exprKind.case === "listExpr" || exprKind.case === "structExpr";
}

function isBound(bound: Bound | undefined, name: string): boolean {
  for (let at = bound; at !== undefined; at = at.outer) if (at.name === name) return true;
  return false;
}

function isSteps(expr: Expr | undefined, bound: Bound | undefined): boolean {
  return (
    expr?.exprKind.case === "identExpr" && expr.exprKind.value.name === "steps" && !isBound(bound, "steps")
  );
}

function indexOfCall(call: Call): string | undefined {
  return call.function === "_[_]" ? stringOf(call.args[1]) : undefined;
}

function stringOf(expr: Expr | undefined): string | undefined {
  if (expr?.exprKind.case !== "constExpr") return undefined;
  const constant = expr.exprKind.value.constantKind;
  return constant.case === "stringValue" ? constant.value : undefined;
}
