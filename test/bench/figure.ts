/** One measured figure; `ratio` is ours ÷ theirs, measured in the same run. */
export interface Figure {
  readonly bench: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly against?: string;
  /** Version, persistence and concurrency of what it is compared with. */
  readonly settings?: string;
  readonly ratio?: number;
  /** Which way the value, and the ratio, is better. */
  readonly better: "higher" | "lower";
}

/** The value below which the share `p` (0 to 1) of the sorted values lies. */
export function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** The middle one of the values, in whatever order they come. */
export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
