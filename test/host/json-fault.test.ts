import { describe, expect, test } from "vitest";
import { findJsonFault } from "../../host/json-fault.ts";
import { seeded } from "../random.ts";

const key = "a property name in double quotes";

describe("the first fault of a text that is not JSON", () => {
  test.each([
    ["", 1, 1, "a value", undefined],
    ["  \n ", 2, 2, "a value", undefined],
    ["{", 1, 2, `${key} or "}"`, undefined],
    ['{"a":1,}', 1, 8, key, "}"],
    ['{"a" 1}', 1, 6, '":"', "1"],
    ["{'a':1}", 1, 2, `${key} or "}"`, "'"],
    ['{"a":\n  tru}', 2, 3, "a value", "tru"],
    ['{"a":1 "b":2}', 1, 8, '"," or "}"', '"'],
    ["[1,2", 1, 5, '"," or "]"', undefined],
    ["[1,]", 1, 4, "a value", "]"],
    ["[,1]", 1, 2, 'a value or "]"', ","],
    ["[01]", 1, 3, '"," or "]"', "1"],
    ["1 2", 1, 3, "the end of the text", "2"],
    ["{} // no", 1, 4, "the end of the text", "/"],
    ['{"a":"b', 1, 8, 'the closing " of a string', undefined],
    ['["a\nb"]', 1, 4, 'an escape such as "\\n" for a control character', "\n"],
    ['["\\x"]', 1, 3, 'an escape: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX', "\\"],
    ["{a:1}", 1, 2, `${key} or "}"`, "a"],
    ["[}", 1, 2, 'a value or "]"', "}"],
    ["[1}", 1, 3, '"," or "]"', "}"],
    ["NaN", 1, 1, "a value", "NaN"],
    ["[💥]", 1, 2, 'a value or "]"', "💥"],
  ])("of %j stands in line %i, column %i", (text, line, column, expected, found) => {
    expect(findJsonFault(text)).toEqual({
      line,
      column,
      expected,
      ...(found === undefined ? {} : { found }),
    });
  });

  test("is there exactly when JSON.parse refuses the text", () => {
    const below = seeded(7);
    const seed = JSON.stringify({ a: [1, -2.5e3, "x\\\n\u00e9", true, null, {}], "b c": { d: [[]], e: "" } });
    const alphabet = '{}[]":,\\ntrue0-.e1 \n';
    let refused = 0;
    for (let round = 0; round < 20_000; round += 1) {
      let text = seed;
      for (let edits = 0; edits <= below(3); edits += 1) {
        const at = below(text.length);
        const insert = below(2) === 0 ? "" : (alphabet[below(alphabet.length)] ?? "");
        text = text.slice(0, at) + insert + text.slice(at + below(2));
      }
      const parses = canParse(text);
      if (!parses) refused += 1;
      expect(findJsonFault(text) === undefined, text).toBe(parses);
    }
    expect(refused).toBeGreaterThan(1_000);
  });

  test("is found however deep the text nests", () => {
    const depth = 1_000_000;
    expect(findJsonFault("[".repeat(depth))).toMatchObject({ column: depth + 1 });
    expect(findJsonFault("[".repeat(depth) + "]".repeat(depth))).toBeUndefined();
  });
});

function canParse(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
