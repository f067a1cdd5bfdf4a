import { expect, test } from "vitest";
import { preview, printable, shorten } from "../../../host/cli/printable.ts";
import { table } from "../../../host/cli/table.ts";
import { span } from "../../../host/cli/time.ts";

test("spans of time read as people say them, and never promise more than has passed", () => {
  const cases: [number, string][] = [
    [-3, "0 ms"],
    [0, "0 ms"],
    [0.42, "0.4 ms"],
    [999.9, "999 ms"],
    [1_000, "1.0 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min 0 s"],
    [3_599_999, "59 min 59 s"],
    [3_600_000, "1 h 0 min"],
    [172_800_000, "2 d 0 h"],
  ];
  expect(cases.map(([ms]) => [ms, span(ms)])).toEqual(cases);
});

test("what a step prints can't command the terminal", () => {
  expect(printable("\u001b[2J\u001b]0;title\u0007red\u001b[31m!")).toBe("red!");
  expect(printable("a\rb\u0008c\u009b")).toBe("a\\u000db\\u0008c\\u009b");
  expect(printable("evil\u202egnp.exe")).toBe("evil\\u202egnp.exe");
  expect(printable("one\ntwo\tthree")).toBe("one⏎two  three");
  expect(printable("ünïcödé 🙂")).toBe("ünïcödé 🙂");
});

test("long values are cut, and the cut shows", () => {
  expect(shorten("abcdef", 6)).toBe("abcdef");
  expect(shorten("abcdefg", 6)).toBe("abcde…");
  expect(preview({ text: "x".repeat(50) }, 12)).toBe('{"text":"xx…');
  expect(preview(undefined, 12)).toBe("null");
});

test("table columns line up, colours or not", () => {
  const lines = table(
    [{ heading: "ID" }, { heading: "N", align: "right" }, { heading: "NAME" }],
    [
      ["\u001b[31mlong-id\u001b[39m", "1", "a"],
      ["b", "100", "c"],
    ],
    (text) => text,
  );
  expect(lines).toEqual(["ID         N  NAME", "\u001b[31mlong-id\u001b[39m    1  a", "b        100  c"]);
});
