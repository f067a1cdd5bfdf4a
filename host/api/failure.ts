import { inspect } from "node:util";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { ErrorObject } from "ajv";
import { hostErrors, MillraceError, type Problem } from "../errors.ts";
import { describeSchemaErrors } from "../schema-problem.ts";
import type { ApiLogEntry } from "./options.ts";

/** The body of every answer that is not a success. */
export interface FailureBody {
  readonly status: number;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly next: string;
    /** The first 100. */
    readonly problems?: readonly Problem[];
    /** How many there are in all, where that is more. */
    readonly problemCount?: number;
    /** Of a fault on the host's side: under this id the host's log tells of it. */
    readonly requestId?: string;
  };
}

/** An answer with thousands of problems helps nobody. */
const mostProblems = 100;

/** The body for an error of the table. */
export function failureBody(error: MillraceError, requestId?: string): FailureBody {
  const { code, message, next, problems, status } = error;
  return {
    status,
    error: {
      code,
      message,
      next,
      ...(problems.length === 0 ? {} : { problems: problems.slice(0, mostProblems) }),
      ...(problems.length > mostProblems ? { problemCount: problems.length } : {}),
      ...(requestId === undefined ? {} : { requestId }),
    },
  };
}

/** Answers a request with what was thrown; faults on the host's side are logged, and no answer tells how they came about. */
export function answerFailure(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: (entry: ApiLogEntry) => void,
): void {
  const error = toMillraceError(thrown);
  const ours = error.status >= 500;
  if (ours) {
    log({
      level: "error",
      code: error.code,
      message: error.message,
      requestId: request.id,
      error: inspect(thrown, { depth: 4 }),
    });
  }
  void reply.code(error.status).send(failureBody(error, ours ? request.id : undefined));
}

function toMillraceError(thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const { validation, code, statusCode } = thrown as Partial<FastifyError>;
  if (validation !== undefined) return invalidQuery(validation);
  if (code === "FST_ERR_MAX_PARAM_LENGTH") {
    return new MillraceError("ERR_REQUEST_HEADERS_TOO_LARGE", "A part of the path is too long.");
  }
  if (code === "FST_ERR_BAD_URL") {
    return new MillraceError(
      "ERR_REQUEST_MALFORMED",
      "The path has a percent sign that no two hex digits follow.",
    );
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new MillraceError("ERR_REQUEST_MALFORMED", (thrown as Error).message);
  }
  return new MillraceError("ERR_INTERNAL", hostErrors.ERR_INTERNAL.summary, { cause: thrown });
}

function invalidQuery(errors: readonly ErrorObject[]): MillraceError {
  const problems = describeSchemaErrors(errors).map(({ pointer, message, ...rest }): Problem => {
    const parameter = pointer.split("/")[1] ?? "";
    return { code: "ERR_QUERY_INVALID", message: `\`${parameter}\`: ${message}`, ...rest };
  });
  const message = problems.map((problem) => problem.message).join("; ");
  return new MillraceError("ERR_QUERY_INVALID", `The query can't be used: ${message}.`, { problems });
}
