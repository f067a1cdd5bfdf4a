import { describe, expect, test } from "vitest";
import { parseStepPath } from "../../../host/function/step-path.ts";

describe("a step's path", () => {
  test.each([
    ["file://./steps/greet.ts", "steps/greet.ts"],
    ["file://./greet", "greet"],
    ["file://././a//b/./c", "a/b/c"],
    ["file://./a/../b", "b"],
    ["file://./a/b/../../c", "c"],
    ["file://./steps/", "steps"],
    ["file://./.hidden", ".hidden"],
    ["file://./...", "..."],
    ["file://./a b/ö.ts", "a b/ö.ts"],
    // Nothing is decoded, so this leaves no folder.
    ["file://./%2e%2e/x", "%2e%2e/x"],
  ])("%s is %s", (text, path) => {
    expect(parseStepPath(text)).toEqual({ ok: true, path });
  });

  test.each([
    ["file://../x"],
    ["file://../../x"],
    ["file://./../x"],
    ["file://./a/../../x"],
    ["file://./a/../../a/x"],
    ["file:///etc/passwd"],
    ["file:////host/share"],
    ["file://C:/x"],
    ["file://./.."],
  ])("%s leaves the folder", (text) => {
    expect(parseStepPath(text)).toMatchObject({ ok: false, code: "ERR_FUNCTION_PATH_OUTSIDE" });
  });

  test.each<[string, string?]>([
    ["./steps/greet.ts", "file://./steps/greet.ts"],
    ["steps/greet.ts", "file://./steps/greet.ts"],
    ["file:./steps/greet.ts", "file://./steps/greet.ts"],
    ["file://steps/greet.ts", "file://./steps/greet.ts"],
    [String.raw`file://.\steps\greet.ts`, "file://./steps/greet.ts"],
    ["https://example.com/x"],
    ["/etc/passwd"],
    ["../x"],
    ["file://"],
    ["file://./"],
    ["file://."],
    ["file://./a/.."],
    [""],
    ["file://./a\0b"],
    ["file://./a\nb"],
    ["file://./\ud800"],
  ])("%j is none", (text, suggestion) => {
    const parsed = parseStepPath(text);
    expect(parsed).toMatchObject({ ok: false, code: "ERR_FUNCTION_PATH" });
    expect(parsed.ok ? undefined : parsed.suggestion).toBe(suggestion);
  });

  test("what is taken never leaves the folder", () => {
    const parts = ["..", ".", "a", "b", "", "..."];
    for (let number = 0; number < 6 ** 5; number += 1) {
      const segments = Array.from({ length: 5 }, (_, digit) => parts[Math.floor(number / 6 ** digit) % 6]);
      const parsed = parseStepPath(`file://./${segments.join("/")}`);
      if (parsed.ok) {
        const [first = ""] = parsed.path.split("/");
        expect(["..", ".", ""]).not.toContain(first);
        expect(parsed.path.split("/")).not.toContain("..");
      }
    }
  });
});
