interface Input {
  /** What the row's import put out. */
  output: { entry: string };
  ctx: { failure?: { message: string } };
}

/** Undoes the import of one row. */
export default ({ output, ctx }: Input) =>
  `${output.entry} removed, since ${ctx.failure?.message ?? "it was cancelled"}`;
