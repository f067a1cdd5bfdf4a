import { buildErrors } from "./build/errors.ts";
import type { HostErrorRow } from "./error-row.ts";
import { functionErrors } from "./function/errors.ts";

/** Every error of the host, by its stable code. */
export const hostErrors = {
  ERR_STORE_FULL: {
    status: 507,
    summary: "The store is full, or at the size that it may have; nothing of the request was stored.",
    next: "Free some space and send it again: runs under way go on by themselves.",
  },
  ERR_STORE_UNAVAILABLE: {
    status: 503,
    summary: "The store did not confirm the write; on NATS it may have been stored all the same.",
    next: "Send it again with the same `id`, which is not run twice; the cause is in the host's log.",
  },
  ERR_STORE_URL: {
    status: 500,
    summary: "The store's URL is of no known kind, or its prefix can't be one.",
    next: "Use nats://<server>, sqlite:<file> or memory:, and a prefix of up to 32 letters, digits, - and _.",
  },
  ERR_STORE_DENIED: {
    status: 503,
    summary: "The NATS server refused the credentials, or they could not be read.",
    next: "Check the credentials file, nkey, user or token; `millrace doctor` tries them.",
  },
  ERR_STORE_OLD: {
    status: 500,
    summary: "The NATS server is older than 2.12, or its JetStream is off.",
    next: "Run nats-server 2.12 or newer with JetStream, as the configuration in this package does.",
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
  ERR_RUN_STATE: {
    status: 409,
    summary: "What was asked for can't be done with a run that stands as this one does.",
    next: "`millrace runs show` says how it stands.",
  },
  ERR_RUN_STEP: {
    status: 422,
    summary: "A run was to go on from a step that its function version does not have.",
    next: "Name one of the steps that `millrace runs show` lists.",
  },
  ERR_RUN_TIMEOUT: {
    status: 500,
    summary: "A run took longer than its function's `timeout`; it has failed.",
    next: "Look which step took so long, or raise the `timeout`.",
  },
  ERR_WAIT_UNTIL: {
    status: 500,
    summary:
      "The `waitUntil` of an edge gave no time, or one too far ahead; the step that it leads to has failed.",
    next: "Have it give RFC 3339, milliseconds since 1970 or a duration, and guard it with `has(…)` or `if`.",
  },
  ERR_ITEMS: {
    status: 500,
    summary:
      "A step's `forEach.items` gave no list, or one that is too long or too large; the step has failed.",
    next: "Mend the expression, or have the step before give at most 10,000 items and 16 MiB.",
  },
  ERR_ITEMS_FAILED: {
    status: 500,
    summary: "More items of a step failed than its `forEach` tolerates; the step has failed.",
    next: "`millrace runs show` lists them; `millrace runs retry` runs them again, and them alone.",
  },
  ERR_ITEMS_OUTPUT: {
    status: 500,
    summary: "The outputs of a step's items have more than 16 MiB together; the step has failed.",
    next: "Have each item put its data into a store, and put out its address.",
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
  ERR_EVENT_INVALID: {
    status: 400,
    summary:
      "An event is not as it must be: no object, no `name`, an unknown field, a wrong type; nothing of the request was stored.",
    next: "Mend what the listed problems name and send it again.",
  },
  ERR_EVENT_SCHEMA: {
    status: 422,
    summary: "An event's `data` does not fit the JSON Schema of its name; nothing of the request was stored.",
    next: "Mend the listed places, or the schema in `events/`.",
  },
  ERR_EVENT_FORBIDDEN_KEY: {
    status: 400,
    summary: "An event has a key `__proto__`, which corrupts objects in many languages.",
    next: "Rename the key.",
  },
  ERR_EVENT_TOO_DEEP: {
    status: 400,
    summary: "An event nests deeper than 128 levels.",
    next: "Flatten the data, or send the deep part as a string.",
  },
  ERR_EVENT_TOO_LARGE: {
    status: 413,
    summary: "An event has more than 256 KiB as JSON.",
    next: "Put the data in a store and send its address.",
  },
  ERR_SCHEMA_INVALID: {
    status: 422,
    summary: "A JSON Schema of an event can't be used.",
    next: "Mend it: draft 2020-12, no unknown keywords, no remote `$ref`.",
  },
  ...functionErrors,
  ...buildErrors,
  ERR_POLICY_REFUSED: {
    status: 403,
    summary: "The operator's policy does not allow what a function asks for; no function was deployed.",
    next: "Ask for less in the function's document, or have the operator change the policy at the places listed.",
  },
  ERR_POLICY_CAPABILITY: {
    status: 403,
    summary: "A step asks for a capability that the operator's policy does not allow to its function.",
    next: "Leave the capability out, or have the operator add the function to those that may have it.",
  },
  ERR_POLICY_LIMIT: {
    status: 403,
    summary: "A limit of a step, or its default, is above the operator's maximum.",
    next: "Lower the step's `limits` or `timeout`, or have the operator raise the maximum.",
  },
  ERR_HOST_CLOSED: {
    status: 503,
    summary: "The host is stopping and takes nothing new.",
    next: "Send it again in a moment.",
  },
  ERR_KEY_UNKNOWN: {
    status: 401,
    summary: "The key in the path of `POST /e/<key>` is not one that this host takes.",
    next: "Use one of the event keys that the host was started with.",
  },
  ERR_API_KEY: {
    status: 401,
    summary: "The reading API wants a key, and got none or a wrong one.",
    next: "Send it as `Authorization: Bearer <api key>`.",
  },
  ERR_HOSTNAME_REFUSED: {
    status: 421,
    summary:
      "A host without API keys was called by a name other than this machine's own, as a web page can do.",
    next: "Call it as localhost or 127.0.0.1, give it API keys, or name the host name in its options.",
  },
  ERR_BODY_TYPE: {
    status: 415,
    summary: "The Content-Type is none in which events are taken.",
    next: "Send JSON with `content-type: application/json`; with curl: `--json '{…}'`, or `-H 'content-type: application/json' -d '{…}'`.",
  },
  ERR_BODY_ENCODING: {
    status: 400,
    summary: "The request's body is not UTF-8.",
    next: "Encode the body as UTF-8.",
  },
  ERR_BODY_JSON: {
    status: 400,
    summary: "The request's body is not JSON.",
    next: "Mend the place that the message names.",
  },
  ERR_BODY_CODING: {
    status: 400,
    summary: "The body is not compressed in the way that its Content-Encoding says.",
    next: "Compress it so, or leave the header out.",
  },
  ERR_BODY_CODING_UNKNOWN: {
    status: 415,
    summary: "The Content-Encoding is none that this host can undo.",
    next: "Use gzip, deflate, br or zstd, or send the body as it is.",
  },
  ERR_BODY_TOO_LARGE: {
    status: 413,
    summary: "The request's body is larger than the host takes (32 MiB by default, also once decompressed).",
    next: "Send the events in several requests.",
  },
  ERR_BODY_INCOMPLETE: {
    status: 400,
    summary: "The connection ended before the whole body was there; nothing of it was stored.",
    next: "Send it again.",
  },
  ERR_CLOUDEVENT_INVALID: {
    status: 400,
    summary:
      "A CloudEvent does not hold to the CloudEvents 1.0 specification, or carries data that is not a JSON object.",
    next: "Mend the attributes that the problems name.",
  },
  ERR_EVENT_UNKNOWN: {
    status: 404,
    summary: "There is no event of that id.",
    next: "`GET /v1/events` lists the events.",
  },
  ERR_FUNCTION_UNKNOWN: {
    status: 404,
    summary: "There is no active function of that id.",
    next: "`millrace functions ls` lists the functions.",
  },
  ERR_ROUTE_UNKNOWN: {
    status: 404,
    summary: "Nothing is served at that path.",
    next: "`GET /openapi.json` describes every path.",
  },
  ERR_METHOD_UNKNOWN: {
    status: 405,
    summary: "The path is served, but not with that method.",
    next: "Use a method that the Allow header names.",
  },
  ERR_QUERY_INVALID: {
    status: 400,
    summary: "A parameter of the query can't be used.",
    next: "Mend the parameters that the problems name.",
  },
  ERR_REQUEST_MALFORMED: {
    status: 400,
    summary: "The request is not well-formed HTTP.",
    next: "Look at what the client, or a proxy before the host, puts on the wire.",
  },
  ERR_REQUEST_HEADERS_TOO_LARGE: {
    status: 431,
    summary: "The request's headers, or its path, are longer than the host takes.",
    next: "Send shorter ones.",
  },
  ERR_REQUEST_TIMEOUT: {
    status: 408,
    summary: "The request was not complete within the host's time for one; nothing of it was stored.",
    next: "Send it again, over a faster connection or in smaller parts.",
  },
  ERR_ARTIFACT_DIGEST: {
    status: 422,
    summary: "The bytes sent as a component are not those of the sha256 in the path; nothing was stored.",
    next: "Send the component's own bytes, or put their sha256, as 64 hex digits, into the path.",
  },
  ERR_ARTIFACT_MISSING: {
    status: 422,
    summary: "A function version to be deployed has a component that is not stored; nothing was deployed.",
    next: "Store the components first (`PUT /v1/artifacts/<sha256>`), or use `millrace push`, which does.",
  },
  ERR_DEPLOYMENT_INVALID: {
    status: 422,
    summary: "A deployment is not as it must be; nothing of it was stored.",
    next: "Mend what the listed problems name, or use `millrace push`.",
  },
  ERR_DEAD_LETTER_UNKNOWN: {
    status: 404,
    summary: "There is no dead letter of that number.",
    next: "`millrace dead-letters ls` lists those there are.",
  },
  ERR_COMPLETION_UNKNOWN: {
    status: 404,
    summary:
      "The attempt that a receiver completes is over by something else, such as its timeout; or there is none.",
    next: "Nothing: if the step is tried again, that is another request with the same Idempotency-Key and another address.",
  },
  ERR_COMPLETION_INVALID: {
    status: 400,
    summary: "What a receiver says of its failure is not as it must be.",
    next: 'Send {"message": "…"}, with "fatal" or "retryAfter" if you like.',
  },
  ERR_COMPLETION_UNRECORDED: {
    status: 503,
    summary:
      "A completion could not be recorded yet: the store does not answer, or the attempt's host has ended and the attempt is made again.",
    next: "Send it again in a moment: the same one counts once.",
  },
  ERR_COMPLETION_TOO_LARGE: {
    status: 413,
    summary: "A completion came to another host than the attempt's, and is too large to be passed on.",
    next: "Send it to the very host that the address names, or put the data in a store and send its address.",
  },
  ERR_LINK_UNKNOWN: {
    status: 404,
    summary: "A link is none that a host of this store made, or is for nothing that its run waits for.",
    next: "Open the whole address as `ctx.links` had it.",
  },
  ERR_LINK_USED: {
    status: 409,
    summary: "What a link asks was answered before.",
    next: "Nothing: the first answer counts.",
  },
  ERR_LINK_EXPIRED: {
    status: 410,
    summary: "Nobody waits for the answer to a link any more: its `ttl` is over, or its run is.",
    next: "Look at the run, and start it once more if it is still wanted.",
  },
  ERR_LINK_ANSWER: {
    status: 422,
    summary: "What was answered by a link is none of the answers that it takes.",
    next: "Send one of the answers that the message names, as `answer` of a form or of a JSON object.",
  },
  ERR_LIVE_TOO_MANY: {
    status: 503,
    summary: "As many clients as the host allows are listening to live messages already.",
    next: "Close some of them, or read the runs through `GET /v1/runs`.",
  },
  ERR_RUNTIME_UNKNOWN: {
    status: 500,
    summary: "The host was to serve a runtime for which it has no driver.",
    next: "Name only runtimes that the message lists.",
  },
  ERR_RUNTIME_UNSERVED: {
    status: 500,
    summary: "The host was to serve a runtime that can run nothing here, such as docker without an engine.",
    next: "Do as the message says, or leave the runtime out of --runtimes.",
  },
  ERR_API_OPEN: {
    status: 500,
    summary:
      "The API was to listen beyond this machine without API keys, so that anybody could read the runs.",
    next: "Give it API keys, listen on 127.0.0.1, or say in its options that it shall be open.",
  },
  ERR_API_OPTIONS: {
    status: 500,
    summary: "The API's options can't be used.",
    next: "Mend the option that the message names.",
  },
  ERR_API_LISTEN: {
    status: 500,
    summary: "The API can't listen at the address that it was given.",
    next: "Choose another port or host name; port 0 takes any free one.",
  },
  ERR_INTERNAL: {
    status: 500,
    summary: "The host met a fault of its own.",
    next: "Report it with what the host's log says under the request's id.",
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
  /** The last lines of what a tool said of it. */
  readonly said?: readonly string[];
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
