import type { ErrorRow } from "../runtime/errors.ts";

/** A row of the host's table: also the HTTP status with which the API answers. */
interface HostErrorRow extends ErrorRow {
  readonly status: number;
}

/** Every error of the host, by its stable code. */
export const hostErrors = {
  ERR_STORE_FULL: {
    status: 507,
    summary: "The disk of the embedded store is full; nothing of the request was stored.",
    next: "Free some space and send it again: runs under way go on by themselves.",
  },
  ERR_STORE_UNAVAILABLE: {
    status: 503,
    summary: "The store did not take the write; nothing of the request was stored.",
    next: "Send it again later; the cause is in the host's log.",
  },
  ERR_STORE_URL: {
    status: 500,
    summary: "The store's URL is of no known kind.",
    next: "Use memory: or sqlite:<file>.",
  },
  ERR_STORE_LOCKED: {
    status: 500,
    summary: "Another host has this embedded store open.",
    next: "Stop the other host, or give this one a file of its own.",
  },
  ERR_STORE_NEWER: {
    status: 500,
    summary: "The store was written by a newer version of Millrace.",
    next: "Run that version or a newer one on it.",
  },
  ERR_VERSION_MISSING: {
    status: 500,
    summary: "A run began on a function version that is not in the store, so it can't go on.",
    next: "Restore the store from which the version is missing, or cancel the run.",
  },
  ERR_RUN_UNKNOWN: {
    status: 404,
    summary: "There is no run of that id.",
    next: "`millrace runs ls` lists the runs.",
  },
  ERR_EXPRESSION_TYPE: {
    status: 500,
    summary: "An expression met data of a type that it can't work on; it counts as false.",
    next: "Guard it with `has(…)` or `type(…)`, or give the event a schema.",
  },
  ERR_EVENT_TOO_MANY: {
    status: 413,
    summary: "One request carried more than 5,000 events; none was stored.",
    next: "Send them in several requests.",
  },
  ERR_HOST_CLOSED: {
    status: 503,
    summary: "The host is stopping and takes nothing new.",
    next: "Send it again in a moment.",
  },
} as const satisfies Record<string, HostErrorRow>;

/** A stable code of the host's table. */
export type HostErrorCode = keyof typeof hostErrors;

/** One thing that is wrong with an input, and where. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The file it was found in, as the user named it. */
  readonly file?: string;
  /** JSON pointer (RFC 6901) into the file or the request's body. */
  readonly pointer?: string;
  /** 1-based. */
  readonly line?: number;
  readonly column?: number;
  readonly expected?: string;
  readonly suggestion?: string;
}

/** An error with a code of the host's table; `problems` lists all that is wrong with an input. */
export class MillraceError extends Error {
  readonly code: HostErrorCode;
  readonly problems: readonly Problem[];

  constructor(
    code: HostErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly problems?: readonly Problem[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MillraceError";
    this.code = code;
    this.problems = options.problems ?? [];
  }

  /** The HTTP status of the API's answer. */
  get status(): number {
    return hostErrors[this.code].status;
  }

  /** What the user does next. */
  get next(): string {
    return hostErrors[this.code].next;
  }
}
