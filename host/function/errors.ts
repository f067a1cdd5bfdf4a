import type { HostErrorRow } from "../error-row.ts";

/** What can be wrong with a function document. */
export const functionErrors = {
  ERR_FUNCTION_JSON: {
    status: 422,
    summary: "A function document is not JSON in UTF-8, or has the same key twice.",
    next: "Mend the text at the line and column given; comments and trailing commas are not JSON.",
  },
  ERR_FUNCTION_TOO_LARGE: {
    status: 422,
    summary: "A function document has more than 1 MiB, or nests deeper than 128 levels.",
    next: "Split the function.",
  },
  ERR_FUNCTION_FORBIDDEN_KEY: {
    status: 422,
    summary:
      "A function document uses a name that every JavaScript object has already, such as `__proto__` or `constructor`.",
    next: "Choose another name.",
  },
  ERR_FUNCTION_SCHEMA: {
    status: 422,
    summary:
      "A function document does not fit its JSON Schema: an unknown or missing property, a wrong type.",
    next: "Mend the place given; `millrace/function.schema.json` lets an editor complete it.",
  },
  ERR_FUNCTION_DURATION: {
    status: 422,
    summary: "A duration is not one, or is outside of what is possible there.",
    next: "Write a number and a unit: 500ms, 30s, 5m, 1h, 2d.",
  },
  ERR_FUNCTION_SIZE: {
    status: 422,
    summary: "A size is not one, or is outside of what is possible there.",
    next: "Write a number and a unit: 64KiB, 128MiB; or a number of bytes.",
  },
  ERR_FUNCTION_STEP_ID: {
    status: 422,
    summary: "A step's `id` differs from its key in `steps`.",
    next: "Leave `id` out, or make the two the same.",
  },
  ERR_FUNCTION_STEP_UNKNOWN: {
    status: 422,
    summary: "A function document names a step that is not among its `steps`.",
    next: "Correct the name, or add the step.",
  },
  ERR_FUNCTION_STEP_UNREACHABLE: {
    status: 422,
    summary: "No way leads from the trigger to a step, so it would never run.",
    next: "Break the cycle before it, or remove the step.",
  },
  ERR_FUNCTION_INVOKE: {
    status: 422,
    summary:
      "A step that invokes a function has what only a program could have, or names a function that is not there.",
    next: "Remove what the message names, or deploy the function before, or together with this one.",
  },
  ERR_FUNCTION_LINK: {
    status: 422,
    summary:
      "A wait is neither for an event nor for a link, or for both; or two waits have links of one name.",
    next: "Give the wait one of `event` and `link`, and each link a name of its own.",
  },
  ERR_FUNCTION_CYCLE: {
    status: 422,
    summary: "The edges of a function lead back to where they began.",
    next: "Remove one edge of the cycle that is printed.",
  },
  ERR_FUNCTION_DUPLICATE: {
    status: 422,
    summary: "A function document says the same thing twice: an edge, or a trigger.",
    next: "Remove one of the two.",
  },
  ERR_FUNCTION_ON_FAILURE: {
    status: 422,
    summary: "An edge leads to or from the `onFailure` step, which runs apart from the others.",
    next: "Remove the edge, or name another step in `onFailure`.",
  },
  ERR_FUNCTION_COMPENSATE: {
    status: 422,
    summary:
      "A step's `compensate` names a step that can't undo it: one with edges, or that has another task.",
    next: "Give each step that is to be undone a compensation of its own, without `after`.",
  },
  ERR_FUNCTION_FAILURE_EDGE: {
    status: 422,
    summary:
      "An edge from the failure of a step (`on: failure`) begins where nothing fails, or waits for an event.",
    next: "Mend the place given.",
  },
  ERR_FUNCTION_FOR_EACH: {
    status: 422,
    summary: "What a step says in `forEach` does not go together, or not with the step.",
    next: "Mend the place given.",
  },
  ERR_FUNCTION_EXPRESSION: {
    status: 422,
    summary: "An expression is not valid CEL, or names what is not there.",
    next: "Mend it at the line and column given.",
  },
  ERR_FUNCTION_CRON: {
    status: 422,
    summary:
      "A trigger's schedule is not a cron expression, never comes, or has a time zone that there is none of.",
    next: "Write five fields (minute, hour, day, month, day of the week), and an IANA time zone.",
  },
  ERR_FUNCTION_FLOW: {
    status: 422,
    summary: "Controls of a function's flow do not go together, or one can't do what it says.",
    next: "Mend the place given; docs/functions.md says which go together.",
  },
  ERR_FUNCTION_PATH: {
    status: 422,
    summary: "A step's `path` is not a relative file URL.",
    next: "Write file://./… relative to the document, with forward slashes.",
  },
  ERR_FUNCTION_PATH_OUTSIDE: {
    status: 422,
    summary: "A step's `path` leaves the folder of its document.",
    next: "Move the step's source beside or below the document.",
  },
  ERR_FUNCTION_PATH_MISSING: {
    status: 422,
    summary: "A step's `path` leads to no file that it could be built from.",
    next: "Correct the path, or write the file: x.ts, x.wasm, x.py, …, or a folder with index.ts, Cargo.toml, go.mod, main.c, main.py, main.zig, ….",
  },
  ERR_FUNCTION_PATH_KIND: {
    status: 422,
    summary: "A step's `path` leads to what no step of its runtime is built from.",
    next: "Point it to a source file of a language that is built, to a .wasm file, give the step a `build` command, or with runtime docker name a folder with a Dockerfile.",
  },
  ERR_FUNCTION_LANGUAGE: {
    status: 422,
    summary:
      "What a step is built from is not clear: its `path` has several languages, or `build`, `runtime.language` or `runtime.interpreter` are not for it.",
    next: 'Choose with `"runtime": { "type": "wasm", "language": "…" }`, point `path` to one file, or do as the message says.',
  },
  ERR_FUNCTION_ID_TAKEN: {
    status: 422,
    summary: "Two function documents of a project have the same `id`.",
    next: "Give one of them another id.",
  },
  ERR_FUNCTION_CAPABILITY: {
    status: 422,
    summary: "A capability that a step asks for is not written as it must be, or not for the step's runtime.",
    next: "Mend the place given; docs/steps.md lists what each capability takes, and docs/runtimes.md which runtimes have it.",
  },
  ERR_FUNCTION_RUNTIME: {
    status: 422,
    summary: "A step's `runtime` lacks what it needs, or has what does not go together.",
    next: "Mend the place given. A docker step has a `path` with a Dockerfile, or an `image`; a Lambda step a `function`, or a `path`.",
  },
  ERR_FUNCTION_UNSUPPORTED: {
    status: 422,
    summary: "A function document uses something that this version can't run yet.",
    next: "Leave it out.",
  },
} as const satisfies Record<string, HostErrorRow>;
