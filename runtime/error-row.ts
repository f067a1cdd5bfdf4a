/** One row of a table of errors: what went wrong, and what to do next. */
export interface ErrorRow {
  /** One sentence for the table in docs/errors.md. */
  readonly summary: string;
  /** What the user does next. */
  readonly next: string;
}

/** A row of the runtime's table: also says whether another attempt can help. */
export interface RuntimeErrorRow extends ErrorRow {
  readonly retry: boolean;
}
