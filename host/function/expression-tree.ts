import type { parse } from "@bufbuild/cel";

/** What the parser gives for an expression. */
export type Parsed = ReturnType<typeof parse>;
/** A node of the parsed tree. */
export type Expr = NonNullable<Parsed["expr"]>;
/** A loop: what a macro such as `all` or `map` stands for. */
export type Loop = Extract<Expr["exprKind"], { case: "comprehensionExpr" }>["value"];
/** A call of a function, a method or an operator. */
export type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

/** One thing that is wrong with an expression; `offset` counts characters from its beginning. */
export interface ExpressionProblem {
  readonly message: string;
  readonly offset?: number;
  readonly suggestion?: string;
}
