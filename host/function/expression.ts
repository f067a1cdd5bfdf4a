/** What an expression may name. */
export interface Scope {
  readonly event: unknown;
  readonly data: unknown;
  readonly user: unknown;
  readonly ts: unknown;
  readonly name: unknown;
  readonly steps?: unknown;
  readonly output?: unknown;
}

/** What an evaluation gave; `missing`: a field the expression names is not there, which counts as false. */
export type Evaluation =
  | { readonly kind: "value"; readonly value: boolean }
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "error"; readonly message: string };

/** A CEL expression, compiled once. */
export interface Expression {
  readonly source: string;
  evaluate(scope: Scope): Evaluation;
}
