import { describe, expect, test } from "vitest";
import { parseDestination } from "../../../host/function/destination.ts";
import { covers, hostCovers } from "../../../runtime/egress/destination.ts";

const parsed = (text: string) => {
  const result = parseDestination(text);
  if (!result.ok) throw new Error(result.message);
  return result.destination;
};

describe("the text of a destination", () => {
  test.each([
    ["api.example.com", "https", "api.example.com", 443],
    ["https://api.example.com", "https", "api.example.com", 443],
    ["http://api.example.com", "http", "api.example.com", 80],
    ["API.Example.com:8443", "https", "api.example.com", 8443],
    ["http://localhost:3000", "http", "localhost", 3000],
    ["*.example.com", "https", "*.example.com", 443],
    ["*", "https", "*", 443],
    ["bücher.example", "https", "xn--bcher-kva.example", 443],
    ["203.0.113.7", "https", "203.0.113.7", 443],
    ["[2001:db8::1]:8080", "https", "[2001:db8::1]", 8080],
    ["under_score.example.com", "https", "under_score.example.com", 443],
  ])("%s", (text, scheme, host, port) => {
    expect(parsed(text)).toEqual({ scheme, host, ports: [port] });
  });

  test.each([
    ["", undefined],
    ["a b", undefined],
    ["https://api.example.com/v1", "api.example.com"],
    ["http://user@example.com:81/", "http://example.com:81"],
    ["ftp://example.com", undefined],
    ["*.*.example.com", undefined],
    ["api.*.com", undefined],
    ["*example.com", undefined],
    ["*.*", "*"],
    ["*.127.0.0.1", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
    ["[2001:DB8:0::1]", "[2001:db8::1]"],
    ["example.com.", "example.com"],
    ["example..com", undefined],
    ["example.com:0", undefined],
    ["example.com:65536", undefined],
    ["example.com:", undefined],
    ["ex%61mple.com", undefined],
    ["example.com\\@evil.example", undefined],
    [`${"a".repeat(64)}.com`, undefined],
  ])("%s is none", (text, suggestion) => {
    expect(parseDestination(text)).toEqual({
      ok: false,
      message: expect.stringMatching(/./),
      ...(suggestion !== undefined && { suggestion }),
    });
  });
});

describe("a pattern", () => {
  test.each([
    ["*", "example.com", true],
    ["example.com", "example.com", true],
    ["example.com", "a.example.com", false],
    ["*.example.com", "a.example.com", true],
    ["*.example.com", "a.b.example.com", true],
    ["*.example.com", "*.a.example.com", true],
    ["*.example.com", "*.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "notexample.com", false],
    ["*.example.com", "a.example.com.evil.example", false],
    ["*.example.com", "*", false],
    ["a.example.com", "*.example.com", false],
  ])("%s covers %s: %s", (pattern, host, is) => {
    expect(hostCovers(pattern, host)).toBe(is);
  });

  test("covers neither another scheme nor another port", () => {
    const two = { ...parsed("example.com"), ports: [443, 8443] };
    expect(covers(two, parsed("example.com:8443"))).toBe(true);
    expect(covers(parsed("example.com"), two)).toBe(false);
    expect(covers(parsed("example.com"), parsed("http://example.com"))).toBe(false);
    expect(covers(parsed("example.com:80"), parsed("http://example.com"))).toBe(false);
  });
});
