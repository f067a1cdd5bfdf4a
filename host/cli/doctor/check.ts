/** What one check of `doctor` found. */
export interface CheckResult {
  /** "warning": Millrace works, but not in everything. "absent": not here, and nothing here needs it. */
  readonly status: "ok" | "warning" | "failed" | "absent";
  readonly detail: string;
  /** What to do about it. */
  readonly next?: string;
}

/** One thing that `doctor` looks at. A throw counts as failed. */
export interface Check {
  readonly name: string;
  run(): Promise<CheckResult>;
}
