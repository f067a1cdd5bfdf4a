/** The error of a bench whose rival can not be had on this machine; the message says what is missing. */
export function unavailable(message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_BENCH_UNAVAILABLE" });
}

/** Whether an error is of `unavailable`. */
export function isUnavailable(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "ERR_BENCH_UNAVAILABLE";
}
