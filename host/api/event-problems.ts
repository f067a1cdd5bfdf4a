import { hostErrors, MillraceError, type HostErrorCode, type Problem } from "../errors.ts";

/** The events of one request. */
export interface SentEvents {
  readonly inputs: readonly unknown[];
  /** The body is one event, not a list. */
  readonly single: boolean;
  /** Puts a problem of the event at `base` into the terms of what was sent. */
  readonly adapt: ((problem: Problem, base: string) => Problem) | undefined;
}

/** The host's pointers begin with the event's index, which a body of one event does not have. */
export function adaptProblems(error: unknown, { inputs, single, adapt }: SentEvents): unknown {
  if (!(error instanceof MillraceError) || error.problems.length === 0) return error;
  const problems = error.problems.map((problem) => {
    if (problem.pointer === undefined) return problem;
    const pointer = single ? problem.pointer.replace(/^\/0(?=\/|$)/, "") : problem.pointer;
    const base = single ? "" : (/^\/\d+/.exec(pointer)?.[0] ?? "");
    return adapt?.({ ...problem, pointer }, base) ?? { ...problem, pointer };
  });
  const code = commonCode(problems) ?? error.code;
  if (adapt === undefined && inputs.some(looksLikeCloudEvent)) {
    const type = `application/cloudevents${single ? "" : "-batch"}+json`;
    const message = `it looks like a CloudEvent, which is sent with the Content-Type ${type}`;
    problems.unshift({ code: "ERR_BODY_TYPE", message, expected: type });
  }
  const [first] = problems;
  const where = first?.pointer ? ` at ${first.pointer}` : "";
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new MillraceError(code, `${first?.message ?? error.message}${where}${more}`, {
    problems,
    cause: error,
  });
}

/** The code that all problems share: it tells more than that of the whole, and has its own status. */
function commonCode(problems: readonly Problem[]): HostErrorCode | undefined {
  const code = problems[0]?.code ?? "";
  const shared = Object.hasOwn(hostErrors, code) && problems.every((problem) => problem.code === code);
  return shared ? (code as HostErrorCode) : undefined;
}

function looksLikeCloudEvent(input: unknown): boolean {
  return typeof input === "object" && input !== null && Object.hasOwn(input, "specversion");
}
