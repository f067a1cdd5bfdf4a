import { expect, test } from "vitest";
import { problemsOf } from "./problems.ts";

/* What people write who know another system, or type fast: each is told once, at its line, with the way out. */

/** A sound document, a line for each of its parts: id 2, triggers 3, the step `one` 5, the step `two` 6, and more 8. */
function written({
  id = '"f"',
  triggers = '[{ "event": "a/b" }]',
  one = '{ "path": "file://./one.ts" }',
  two = '{ "path": "file://./two.ts", "after": [{ "step": "one" }] }',
  more = '"name": "F"',
} = {}): string {
  return `{
  "id": ${id},
  "triggers": ${triggers},
  "steps": {
    "one": ${one},
    "two": ${two}
  },
  ${more}
}`;
}

const step = (fields: string): string => `{ "path": "file://./two.ts", ${fields} }`;
const after = (edge: string): string => step(`"after": [${edge}]`);

type Mistake = readonly [
  what: string,
  text: string,
  line: number,
  code: string,
  message: RegExp,
  help?: string | RegExp,
];

/** What was written; the line that is named, the code, the message, and what helps. */
const mistakes: readonly Mistake[] = [
  // Names.
  [
    "a misspelt key",
    written({ more: '"onFailur": "two"' }),
    8,
    "SCHEMA",
    /no property "onFailur"/,
    "onFailure",
  ],
  [
    "a misspelt key that is wanted",
    written({ triggers: '[{ "evnt": "a/b" }]' }),
    3,
    "SCHEMA",
    /"evnt"/,
    "event",
  ],
  [
    "a misspelt runtime",
    written({ two: step('"runtime": { "type": "dokcer" }') }),
    6,
    "SCHEMA",
    /one of/,
    "docker",
  ],
  [
    "a misspelt capability",
    written({ two: step('"capabilities": { "htttp": [] }') }),
    6,
    "SCHEMA",
    /htttp/,
    "http",
  ],
  [
    "an id with a space",
    written({ id: '"my function"' }),
    2,
    "SCHEMA",
    /"my function"/,
    /letters, digits, -/,
  ],
  [
    "a step's id that is not its key",
    written({ one: '{ "id": "uno", "path": "file://./one.ts" }' }),
    5,
    "STEP_ID",
    /"uno"/,
    "one",
  ],
  [
    "an event's name with a space",
    written({ triggers: '[{ "event": "a b" }]' }),
    3,
    "SCHEMA",
    /"a b"/,
    /without spaces/,
  ],
  // Shapes.
  [
    "a trigger without its list",
    written({ triggers: '{ "event": "a/b" }' }),
    3,
    "SCHEMA",
    /an array, and is an object/,
    /such as \[\{"event"/,
  ],
  [
    "an edge as a text",
    written({ two: step('"after": "one"') }),
    6,
    "SCHEMA",
    /an array, and is a string/,
    /such as \[\{"step"/,
  ],
  [
    "edges as texts",
    written({ two: step('"after": ["one"]') }),
    6,
    "SCHEMA",
    /an object, and is a string/,
    /such as \{"step"/,
  ],
  [
    "a runtime as a text",
    written({ two: step('"runtime": "docker"') }),
    6,
    "SCHEMA",
    /an object, and is a string/,
    /such as \{"type"/,
  ],
  [
    "a list as a text",
    written({ two: step('"forEach": "steps.one.rows"') }),
    6,
    "SCHEMA",
    /an object/,
    /such as \{"items"/,
  ],
  [
    "a limit as a number",
    written({ more: '"concurrency": 5' }),
    8,
    "SCHEMA",
    /an array, and is a number/,
    /such as \[\{"limit"/,
  ],
  [
    "a number as a text",
    written({ two: step('"retry": { "retries": "3" }') }),
    6,
    "SCHEMA",
    /an integer, and is a string/,
  ],
  [
    "an environment of numbers",
    written({ two: step('"capabilities": { "env": { "PORT": 80 } }') }),
    6,
    "SCHEMA",
    /a string, and is a number/,
  ],
  ["a step of nothing", written({ two: "{}" }), 6, "SCHEMA", /"path" is missing/],
  [
    "controls that exclude each other",
    written({ more: '"batch": { "maxSize": 2, "timeout": "1s" }, "debounce": { "period": "1s" }' }),
    8,
    "FLOW",
    /exclude each other/,
  ],
  // Steps and edges.
  ["an edge from nowhere", written({ two: after('{ "step": "oen" }') }), 6, "STEP_UNKNOWN", /"oen"/, "one"],
  [
    "a cycle",
    written({ one: '{ "path": "file://./one.ts", "after": [{ "step": "two" }] }' }),
    5,
    "CYCLE",
    /one → two → one/,
  ],
  ["an edge from itself", written({ two: after('{ "step": "two" }') }), 6, "CYCLE", /two → two/],
  [
    "an onFailure that is not there",
    written({ more: '"onFailure": "towo"' }),
    8,
    "STEP_UNKNOWN",
    /"towo"/,
    "two",
  ],
  ["an output that is no step", written({ more: '"output": "tow"' }), 8, "STEP_UNKNOWN", /"tow"/, "two"],
  [
    "a compensation that is not there",
    written({ two: step('"compensate": "noe"') }),
    6,
    "STEP_UNKNOWN",
    /"noe"/,
    "one",
  ],
  [
    "a condition on a step that is not there",
    written({ two: after('{ "step": "one", "if": "steps.oen.ok" }') }),
    6,
    "STEP_UNKNOWN",
    /"oen"/,
    "one",
  ],
  // Expressions.
  [
    "a text without its end",
    written({ triggers: `[{ "event": "a/b", "expression": "data.plan == 'pro" }]` }),
    3,
    "EXPRESSION",
    /`'pro` has no end/,
    "data.plan == 'pro'",
  ],
  [
    "JavaScript's equality",
    written({ triggers: `[{ "event": "a/b", "expression": "data.n === 1" }]` }),
    3,
    "EXPRESSION",
    /`=== 1`/,
    /==/,
  ],
  [
    "a single =",
    written({ triggers: `[{ "event": "a/b", "expression": "data.n = 1" }]` }),
    3,
    "EXPRESSION",
    /`= 1`/,
    /==/,
  ],
  [
    "a name that is not there",
    written({ triggers: `[{ "event": "a/b", "expression": "payload.n == 1" }]` }),
    3,
    "EXPRESSION",
    /no `payload`.*event, data, user/,
  ],
  // Times and sizes.
  [
    "a time in ISO 8601",
    written({ more: '"timeout": "PT1H"' }),
    8,
    "DURATION",
    /"PT1H"/,
    /500ms, 30s, 5m, 1h, 2d/,
  ],
  [
    "a time as a number",
    written({ two: after('{ "step": "one", "wait": 600 }') }),
    6,
    "SCHEMA",
    /a string, and is a number/,
    /such as "/,
  ],
  [
    "a size in words",
    written({ two: step('"limits": { "memory": "lots" }') }),
    6,
    "SIZE",
    /"lots"/,
    /128MiB/,
  ],
  [
    "a schedule of four fields",
    written({ triggers: '[{ "cron": "0 9 * *" }]' }),
    3,
    "CRON",
    /five fields/,
    /0 9 \* \* MON-FRI/,
  ],
  [
    "a misspelt time zone",
    written({ triggers: '[{ "cron": "@daily", "timezone": "Europe/Berln" }]' }),
    3,
    "CRON",
    /"Europe\/Berln"/,
    "Europe/Berlin",
  ],
  // Places.
  [
    "a path that is no URL",
    written({ one: '{ "path": "./one.ts" }' }),
    5,
    "PATH",
    /no file URL/,
    "file://./one.ts",
  ],
  [
    "a path out of the folder",
    written({ one: '{ "path": "file://../one.ts" }' }),
    5,
    "PATH_OUTSIDE",
    /leaves the folder/,
    /below the document/,
  ],
  [
    "a URL where a host is wanted",
    written({ two: step('"capabilities": { "http": ["https://api.example.com/v1"] }') }),
    6,
    "CAPABILITY",
    /no host/,
    "api.example.com",
  ],
  // JSON.
  [
    "a comma too many",
    written({ two: '{ "path": "file://./two.ts", }' }),
    6,
    "JSON",
    /comma before \} or \]/,
  ],
  ["a comment", written({ more: '"name": "F" // its name' }), 8, "JSON", /comments are not JSON/],
  ["single quotes", written({ id: "'f'" }), 2, "JSON", /double quotes/],
  ["a key twice", written({ more: '"id": "g"' }), 8, "DUPLICATE", /"id" is there already, in line 2/],
];

test.each(mistakes.map((mistake) => ({ what: mistake[0], mistake })))(
  "$what is told once, with its line and the way out",
  ({ mistake: [, text, line, code, message, help] }) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    const [problem] = problems;
    expect(problem).toMatchObject({ file: "f.json", line, code: `ERR_FUNCTION_${code}` });
    expect(problem?.column).toBeGreaterThan(0);
    // A text that is no JSON has no places to point to.
    if (code !== "JSON") expect(problem?.pointer).toMatch(/^\//);
    expect(problem?.message).toMatch(message);
    if (typeof help === "string") expect(problem?.suggestion).toBe(help);
    else if (help !== undefined) expect(`${problem?.expected} ${problem?.suggestion}`).toMatch(help);
  },
);
