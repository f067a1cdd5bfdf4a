import type { Expr } from "./expression-tree.ts";

/** Values that an index can tell apart. */
export type Scalar = string | number | boolean | null;

/** What an expression demands of one name: that the value at a path of it equals something that it has no part in. */
export interface Equality {
  readonly path: readonly string[];
  readonly other: Expr;
}

/** The first equality that must hold for the expression to be true; undefined when it demands none. */
export function demandedEquality(expr: Expr, name: string): Equality | undefined {
  const open = [expr];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const { exprKind } = part;
    if (exprKind.case !== "callExpr") continue;
    const { function: operator, args } = exprKind.value;
    if (operator === "_&&_") open.push(...args.toReversed());
    const [left, right] = args;
    if (operator !== "_==_" || left === undefined || right === undefined) continue;
    const found = equality(left, right, name) ?? equality(right, left, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function equality(one: Expr, other: Expr, name: string): Equality | undefined {
  const path = pathOf(one, name);
  return path === undefined || names(other, name) ? undefined : { path, other };
}

/** `async.data.id` and `async["data"].id`; undefined for anything else. */
function pathOf(expr: Expr, name: string): readonly string[] | undefined {
  const path: string[] = [];
  for (let at: Expr | undefined = expr; at !== undefined;) {
    const { exprKind }: Expr = at;
    if (exprKind.case === "identExpr") {
      return exprKind.value.name.replace(/^\./, "") === name && path.length > 0
        ? path.toReversed()
        : undefined;
    }
    if (exprKind.case === "selectExpr" && !exprKind.value.testOnly) {
      path.push(exprKind.value.field);
      at = exprKind.value.operand;
      continue;
    }
    if (exprKind.case !== "callExpr" || exprKind.value.function !== "_[_]") return undefined;
    const [operand, index]: Expr[] = exprKind.value.args;
    if (index?.exprKind.case !== "constExpr") return undefined;
    const { constantKind } = index.exprKind.value;
    if (constantKind.case !== "stringValue") return undefined;
    path.push(constantKind.value);
    at = operand;
  }
  return undefined;
}

/** Whether the name stands anywhere in the expression; one that a loop binds counts too. */
function names(expr: Expr, name: string): boolean {
  const open: (Expr | undefined)[] = [expr];
  for (const part of open) {
    const kind = part?.exprKind;
    switch (kind?.case) {
      case "identExpr":
        if (kind.value.name.replace(/^\./, "") === name) return true;
        break;
      case "selectExpr":
        open.push(kind.value.operand);
        break;
      case "callExpr":
        open.push(kind.value.target, ...kind.value.args);
        break;
      case "listExpr":
        open.push(...kind.value.elements);
        break;
      case "structExpr":
        for (const { keyKind, value } of kind.value.entries)
          open.push(value, keyKind.case === "mapKey" ? keyKind.value : undefined);
        break;
      case "comprehensionExpr": {
        const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
        open.push(iterRange, accuInit, loopCondition, loopStep, result);
        break;
      }
      default:
    }
  }
  return false;
}

/** The value at a path; undefined where there is none, or one that is no scalar. */
export function scalarAt(value: unknown, path: readonly string[]): Scalar | undefined {
  let at = value;
  for (const name of path) {
    if (typeof at !== "object" || at === null || Array.isArray(at) || !Object.hasOwn(at, name))
      return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return isScalar(at) ? at : undefined;
}

export function isScalar(value: unknown): value is Scalar {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
