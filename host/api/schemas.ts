/** A JSON Schema (2020-12), as OpenAPI 3.1 takes it. */
export type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: "string" };
const integer: Schema = { type: "integer" };
const time: Schema = { type: "integer", description: "Milliseconds since 1970-01-01T00:00:00Z." };
const json: Schema = { description: "Any JSON." };

/** A reference to one of `components`. */
export function ref(name: keyof typeof components): Schema {
  return { $ref: `${name}#` };
}

/** A list of what `items` describes. */
export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

/** An object with exactly these properties; those whose name ends in "?" may be missing. */
export function object(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  const entries = Object.entries(properties);
  const required = entries.map(([name]) => name).filter((name) => !name.endsWith("?"));
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ""), schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

const failure = object({ code: string, message: string, "step?": string });
const runStatus: Schema = {
  type: "string",
  enum: ["running", "parked", "paused", "completed", "failed", "cancelled"],
};
const attributes: Schema = {
  type: "object",
  description: "Context attributes of an event that came as a CloudEvent.",
  additionalProperties: { type: ["string", "number", "boolean"] },
};
const user: Schema = { type: ["object", "string"], description: "Whom the event is about." };

const runSummary: Readonly<Record<string, Schema>> = {
  id: string,
  functionId: string,
  functionVersion: string,
  eventId: string,
  eventName: string,
  "userId?": string,
  createdAt: time,
  status: runStatus,
  "finishedAt?": time,
  "wakeAt?": { ...time, description: "When its next timer is due; milliseconds since 1970-01-01T00:00:00Z." },
  "waitsFor?": { type: "string", description: "While it is parked: for what, in words." },
  "host?": { type: "string", description: "The host that advances it, while it runs." },
};

const ran: Schema = {
  type: "string",
  description:
    "What exactly was run, where the document's name for it can change its meaning: an image's digest.",
};

const fuel: Schema = {
  type: "integer",
  description: "Units of fuel that it used, where its host counted them.",
};

const collectedBy: Schema = { type: "string", enum: ["batch", "debounce"] };
const begunWhy: Schema = {
  type: "string",
  enum: ["time", "count", "size"],
  description: "Its time was over, there were enough events, or they were as large as they may be.",
};

const undone = {
  "undone?": { type: "array", items: string, description: "Steps whose effects were undone." },
  "notUndone?": {
    type: "array",
    items: string,
    description: "Steps whose effects are to be undone, and are not.",
  },
} as const;

/** What an entry of a run's history can be, its properties besides `head`. */
function historyEntries(head: Readonly<Record<string, Schema>>): Schema {
  const entry = (type: string, properties: Readonly<Record<string, Schema>>): Schema =>
    object({ type: { type: "string", const: type }, ...head, at: time, ...properties });
  const recorded = {
    step: string,
    attempt: integer,
    startedAt: time,
    "logs?": listOf({ $ref: "LogLine#" }),
    "ran?": ran,
    "fuel?": fuel,
    "completion?": { type: "string", description: "Which completion ended it, where its receiver sent one." },
  };
  return {
    oneOf: [
      entry("run.queued", { reason: string, "until?": time, "queue?": string, "place?": integer }),
      entry("run.started", {
        event: { $ref: "Event#" },
        "eventSeq?": integer,
        "retryOf?": string,
        "edited?": listOf(string),
        "events?": listOf({ $ref: "Event#" }),
      }),
      entry("run.collecting", { by: collectedBy, "key?": json, until: time }),
      entry("run.collected", {
        events: listOf(object({ id: string, seq: integer, "event?": { $ref: "Event#" } })),
        until: time,
      }),
      entry("run.begun", { why: begunWhy }),
      entry("run.admitted", {}),
      entry("step.completed", { ...recorded, output: json, "emits?": listOf({ $ref: "Event#" }) }),
      entry("step.emitted", { step: string, "item?": integer }),
      entry("step.invoked", {
        step: string,
        attempt: integer,
        functionId: string,
        runId: string,
        event: { $ref: "Event#" },
        "until?": time,
      }),
      entry("step.failed", { ...recorded, failure, "retryAt?": time, "caught?": { type: "boolean" } }),
      entry("step.uncaught", { step: string }),
      entry("items.begun", { step: string, count: integer, gives: string }),
      entry("item.completed", {
        ...recorded,
        item: integer,
        bytes: integer,
        output: json,
        "emits?": listOf({ $ref: "Event#" }),
      }),
      entry("item.failed", { ...recorded, item: integer, failure, "retryAt?": time }),
      entry("items.completed", { step: string }),
      entry("items.failed", { step: string, failure, "caught?": { type: "boolean" } }),
      entry("step.skipped", { step: string }),
      entry("wait.armed", { wait: string, from: string, eventName: string, until: time, "key?": string }),
      entry("wait.answered", { wait: string, event: { $ref: "Event#" } }),
      entry("wait.matched", { wait: string, event: { $ref: "Event#" } }),
      entry("wait.timedOut", { wait: string }),
      entry("wait.cancelled", { wait: string }),
      entry("run.paused", { "reason?": string }),
      entry("run.resumed", {}),
      entry("run.cancelling", { "reason?": string }),
      entry("run.compensating", { steps: listOf(object({ step: string, by: string })) }),
      entry("run.timedOut", { failure }),
      entry("run.retried", {
        steps: listOf(string),
        waits: listOf(string),
        "items?": listOf(string),
        "undone?": listOf(string),
      }),
      entry("run.completed", {
        "output?": json,
        "outputOf?": {
          type: ["string", "array"],
          items: string,
          description: "The step whose output is the run's; a list: all of theirs, by step id.",
        },
      }),
      entry("run.failed", { failure, ...undone }),
      entry("run.cancelled", { "reason?": string, ...undone }),
    ],
  };
}

/** The schemas that have a name in the OpenAPI document. */
export const components = {
  Event: object(
    {
      id: string,
      name: string,
      data: { type: "object" },
      "user?": user,
      ts: { ...time, description: "When it happened; milliseconds since 1970-01-01T00:00:00Z." },
      "v?": string,
      "traceparent?": string,
      "attributes?": attributes,
    },
    "An event as it is stored.",
  ),
  NewEvent: object(
    {
      name: { ...string, maxLength: 256, examples: ["user/signed.up"] },
      "data?": { type: "object", description: "The sender's own; {} where it is missing." },
      "user?": user,
      "id?": {
        ...string,
        maxLength: 256,
        description: "An event whose id was seen before is accepted and not run again.",
      },
      "ts?": {
        ...time,
        description: "When it happened, now by default; milliseconds since 1970-01-01T00:00:00Z.",
      },
      "v?": { ...string, maxLength: 256, description: "The version of the event's shape." },
      "traceparent?": {
        ...string,
        description: "W3C trace context; the request's header of that name by default.",
      },
      "attributes?": attributes,
    },
    "An event as it is sent: at most 256 KiB as JSON.",
  ),
  CloudEvent: {
    type: "object",
    description:
      "A CloudEvent 1.0 in JSON. Its `source` and `id` together are the id of the event, its `type` the name.",
    properties: {
      specversion: { const: "1.0" },
      id: { type: "string", minLength: 1 },
      source: { type: "string", minLength: 1 },
      type: { type: "string", minLength: 1 },
      time: { type: "string", format: "date-time" },
      subject: string,
      datacontenttype: string,
      dataschema: string,
      user: { type: "string", description: "Becomes the event's `user`; so does `userid`." },
      traceparent: string,
      data: { type: "object" },
      data_base64: { type: "string", description: "In place of `data`: JSON text, encoded as base64." },
    },
    required: ["specversion", "id", "source", "type"],
    additionalProperties: { type: ["string", "integer", "boolean", "null"] },
  },
  Accepted: object({
    ids: { ...listOf(string), description: "The events' ids, in their order in the request." },
    status: { type: "integer", const: 200 },
  }),
  Problem: object({
    code: string,
    message: string,
    "file?": string,
    "pointer?": { ...string, description: "JSON pointer (RFC 6901) into the body." },
    "line?": integer,
    "column?": integer,
    "expected?": string,
    "suggestion?": string,
  }),
  Failure: object(
    {
      status: integer,
      error: object({
        code: { ...string, description: "Stable; docs/errors.md lists all of them." },
        message: string,
        next: { ...string, description: "What to do." },
        "problems?": { ...listOf({ $ref: "Problem#" }), description: "All that is wrong; the first 100." },
        "problemCount?": {
          ...integer,
          description: "How many there are, where that is more than are listed.",
        },
        "requestId?": string,
      }),
    },
    "The body of every answer that is not a success.",
  ),
  Run: object(runSummary, "A run as lists show it."),
  RunDetail: object({
    ...runSummary,
    event: { $ref: "Event#" },
    "events?": {
      ...listOf({ $ref: "Event#" }),
      description: "Of a function with batches, once the run has begun: all that it gets.",
    },
    "collected?": { $ref: "Collected#" },
    "failure?": failure,
    "reason?": { ...string, description: "Why it was cancelled, or paused." },
    "queued?": object(
      { since: time, reason: string, "until?": time },
      "What it waits for before it goes on: which control, with which key, and until when if that is known.",
    ),
    ...undone,
    "retryOf?": { ...string, description: "The run of which this one is another try, with another event." },
    "edited?": { ...listOf(string), description: "Which parts of its event are other than that run's." },
    "output?": { description: "What it came to, once it has completed: any JSON." },
    steps: listOf({ $ref: "Step#" }),
    "waits?": { ...listOf({ $ref: "Wait#" }), description: "In the order in which they began." },
  }),
  Collected: object(
    {
      by: collectedBy,
      "key?": { ...json, description: "What its events have in common." },
      count: { ...integer, description: "Its events so far." },
      since: time,
      until: { ...time, description: "When it begins if no more events come." },
      "begunAt?": time,
      "why?": begunWhy,
    },
    "What a run collected before it began, or does still.",
  ),
  Wait: object(
    {
      id: string,
      after: { ...string, description: "The step after which it began, or $trigger." },
      event: { ...string, description: "The name of the event." },
      "cancels?": { type: "boolean", description: "The event cancels the run, which does not wait for it." },
      status: { type: "string", enum: ["waiting", "matched", "timedOut", "cancelled"] },
      armedAt: time,
      until: time,
      "endedAt?": time,
      "eventId?": { ...string, description: "The event that matched." },
    },
    "A wait of a run for an event.",
  ),
  Step: object({
    id: string,
    "name?": string,
    "after?": listOf(string),
    status: {
      type: "string",
      enum: ["pending", "running", "retrying", "completed", "failed", "skipped", "unreached"],
      description:
        '"pending": nothing recorded yet. "running": its items are. "unreached": the run has finished without it.',
    },
    attempts: listOf(
      object({
        attempt: integer,
        startedAt: time,
        endedAt: time,
        "failure?": failure,
        logLines: integer,
        "ran?": ran,
        "fuel?": fuel,
      }),
    ),
    "output?": json,
    "invoked?": {
      ...listOf(object({ attempt: integer, functionId: string, runId: string, "until?": time })),
      description: "The runs that it invoked, attempt by attempt.",
    },
    "emits?": {
      ...listOf(object({ id: string, name: string })),
      description: "The events that it emitted.",
    },
    "retryAt?": time,
    "sleepsUntil?": {
      ...time,
      description: "While it is pending: until when a `wait` keeps it from beginning.",
    },
    "caught?": {
      type: "boolean",
      description: "It failed, and the run went on over an edge from its failure.",
    },
    "failure?": { ...failure, description: "Why a step failed that runs once an item." },
    "items?": object(
      {
        total: integer,
        completed: integer,
        failed: integer,
        retrying: integer,
        failures: {
          ...listOf(object({ item: integer, attempts: integer, code: string, message: string })),
          description: "Items that failed for good, the first 20.",
        },
      },
      "Of a step that runs once an item of a list.",
    ),
  }),
  HistoryEntry: historyEntries({ seq: integer }),
  LiveEntry: historyEntries({}),
  LogLine: object({
    level: { type: "string", enum: ["trace", "debug", "info", "warn", "error"] },
    message: string,
  }),
  StoredEvent: object({
    seq: { ...integer, description: "Its place in the order of all events." },
    storedAt: time,
    event: { $ref: "Event#" },
  }),
  DeadLetter: object(
    {
      seq: { ...integer, description: "Its place among the dead letters." },
      at: time,
      subject: { ...string, description: "Where it was published." },
      code: string,
      message: string,
      problems: listOf({ $ref: "Problem#" }),
      payload: { ...string, description: "As it was published; bytes that are not UTF-8 replaced." },
    },
    "A message on the broker that is no event.",
  ),
  Function: object({
    id: string,
    "name?": string,
    version: string,
    createdAt: time,
    triggers: listOf(object({ event: string, "expression?": string, "cron?": string, "timezone?": string })),
    "nextAt?": { ...time, description: "When the next firing of its schedules is due." },
    steps: listOf(string),
  }),
  FunctionDetail: object({
    id: string,
    version: string,
    createdAt: time,
    document: { type: "object", description: "The document as its author wrote it." },
    components: {
      type: "object",
      additionalProperties: string,
      description: "Component digests (sha256, hex) by step.",
    },
    "pinned?": {
      type: "object",
      description:
        "What exactly runs of steps whose code is elsewhere, by step: the version of a Lambda function.",
    },
    notices: listOf({ $ref: "Notice#" }),
  }),
  Notice: object({
    at: time,
    level: { type: "string", enum: ["warn", "error"] },
    code: string,
    message: string,
    "functionId?": string,
  }),
} as const satisfies Readonly<Record<string, Schema>>;
