/** What one attempt may use at most. A breach fails the attempt with the limit's own code. */
export interface Limits {
  /** Wall time of the attempt, in milliseconds. */
  readonly wallMs: number;
  /** Processor time of the attempt, in milliseconds: what it computes, not what it waits. Absent: as long as its wall time. */
  readonly cpuMs?: number;
  /** Linear memory of all of the component's modules together, in bytes. */
  readonly memoryBytes: number;
  /** Output of the step (stdout, or the typed result), in bytes of UTF-8. */
  readonly outputBytes: number;
  /** Log of the attempt (stderr and `millrace:step/log`), in bytes of UTF-8. */
  readonly logBytes: number;
  /** All that is in its folder /tmp, in bytes: contents and names. */
  readonly tmpBytes: number;
  /** HTTP requests under way at once. */
  readonly httpConcurrent: number;
  /** The body of a request, and that of a response, in bytes. */
  readonly httpBodyBytes: number;
}

/** The limits of a step whose document names none. */
export const defaultLimits: Limits = {
  wallMs: 30_000,
  memoryBytes: 128 * 1024 * 1024,
  outputBytes: 1024 * 1024,
  logBytes: 64 * 1024,
  tmpBytes: 16 * 1024 * 1024,
  httpConcurrent: 8,
  httpBodyBytes: 4 * 1024 * 1024,
};
