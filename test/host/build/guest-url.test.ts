import { describe, expect, test } from "vitest";
import { URL as GuestUrl } from "../../../host/build/guest/url.ts";
import { URLSearchParams as GuestParams } from "../../../host/build/guest/url-search-params.ts";

const bases = [
  undefined,
  "http://a.b/c/d?q#f",
  "https://u:p@h:8080/x/y/../z",
  "file:///C:/a/b",
  "file:///x/y",
  "mailto:a@b",
  "foo://h/p/q?z",
  "foo:/a/b",
  "data:text/plain,hi",
];

const inputs = [
  "http://example.com",
  "HTTP://EXAMPLE.com:80/%7Efoo/../a b?c d'e#f g`",
  "https://user:pa%20ss@host:443/",
  "//x/y",
  "/abs",
  "rel/x",
  "../up",
  "../../../..",
  "?q=1",
  "#frag",
  "",
  "http:rel",
  "http:/x",
  "http:///x",
  "http:\\\\x\\y",
  "\\\\x\\y",
  "file:x",
  "file:/x",
  "file://h/x",
  "file://localhost/x",
  "file:///C|/a/..",
  "/C|/",
  "C|/x",
  "C:/x",
  "c:",
  "mailto:joe@x.com?subject=a b",
  "data:text/html,<p>#x",
  "foo:bar baz",
  "foo://H:1/A/./b/%2e%2E/c",
  "foo:///a",
  "foo:/..//x",
  "http://[::1]/",
  "http://[1:2:3:4:5:6:7:8]:90",
  "http://[::ffff:1.2.3.4]",
  "http://[1::2::3]",
  "http://1.2.3",
  "http://0x7f.1/",
  "http://256.1.1.1",
  "http://4294967295",
  "http://4294967296",
  "http://1.2.3.4.5",
  "http://1.2.3.09",
  "http://ex ample.com",
  "http://a%41.com",
  "http://münchen.de/ü?ü#ü",
  "http://☃.net",
  "http://日本語.jp",
  "http://FAẞ.de",
  "http://a:99999",
  "http://a:b",
  "http://a:",
  "http://@x",
  "http://u@",
  "http://u:@x",
  "http://:p@x",
  "http://x@y@z/",
  "http://a/b;c=d?e&f==&g#h",
  "http://a//b///c/",
  "http://a/%zz/%",
  "http://a?b?c#d#e",
  "javascript:alert(1)",
  "blob:http://a/x",
  "ws://x:80/",
  "wss://x:443",
  "ftp://x:21/;type=a",
  " \t http://x \n",
  "ht\ntp://x/a\tb",
  "1http://x",
  "http",
  "a:b:c",
  "http://a.b./",
  "http://a^b/",
  "http://xn--mnchen-3ya.de/",
  'http://x/^|{}`"<>[]',
  "http://x/?^|{}`\"<>[]'",
  "foo://x/?'",
  "http://u^|[]{}:p;=@x",
  "foo://a b",
  "foo://a%20b",
  "foo://ex^",
  "http://x/\u{1F600}",
  "http://x/\ud800",
  "http://1e2",
  "http://0x",
  "http://x.0x",
  "http://09",
  "http://%30x1",
  "urn:isbn:1 2",
  "foo:  ",
  "http://a\u00adb.c",
  "file:?q",
  "file:#f",
  "file:..",
  "file:/..",
  "file://x:80/",
  "http://[::1]x",
  "http://[::127.0.0.1.2]",
  "http://[::1.2.3.400]",
  "http://[1:2:3:4:5:6:1.2.3.4]",
  "http://[::01.2.3.4]",
];

interface AnyUrl {
  readonly href: string;
  readonly searchParams: { toString(): string };
}

type UrlClass = new (input: unknown, base?: unknown) => AnyUrl;

const nodeUrl = URL as unknown as UrlClass;
const guestUrl = GuestUrl as unknown as UrlClass;

const parts = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
];

function parsed(Class: UrlClass, input: string, base: string | undefined): unknown {
  try {
    const url = new Class(input, base) as unknown as Record<string, string>;
    return parts.map((part) => url[part]);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const setters: Readonly<Record<string, readonly string[]>> = {
  protocol: ["https", "ftp:", "foo", "file", "ht tp", "ws:x"],
  username: ["a b", "@", ""],
  password: ["p:q", ""],
  host: ["x:1", "y", "[::1]:2", "", "a/b", "x:", "x:y", "x:99999", ":80"],
  hostname: ["x", "x:1", "", "[::2]", "a?b"],
  port: ["1", "", "80", "443", "99999", "8x", "x8"],
  pathname: ["/a/../b", "x y", "", "a?b#c", "\\x"],
  search: ["?a=b", "a b'", "", "?", "#x"],
  hash: ["#x", "y z", "", "#"],
  href: ["http://new/", "bad"],
};

function changed(Class: UrlClass, url: string, part: string, value: string): string {
  const changing = new Class(url);
  try {
    (changing as unknown as Record<string, string>)[part] = value;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return `${changing.href} ${String(changing.searchParams)}`;
}

function changedParams(params: URLSearchParams | GuestParams): readonly string[] {
  params.append("k ey", "v&*-._~!'()");
  params.set("a", "Z");
  params.delete("b");
  const before = params.toString();
  params.sort();
  return [before, params.toString(), params.get("a") ?? "", String(params.has("x"))];
}

function hrefs(url: URL | GuestUrl): readonly string[] {
  url.searchParams.append("b", "ü ~");
  const one = url.href;
  url.searchParams.delete("a");
  url.searchParams.delete("b");
  return [one, url.href];
}

describe("a step's URL is that of Node", () => {
  test.each(bases)("for what is parsed against %s", (base) => {
    for (const input of inputs) {
      expect([input, parsed(guestUrl, input, base)]).toEqual([input, parsed(nodeUrl, input, base)]);
    }
  });

  test.each(["http://u:p@h:81/p?q#f", "https://h/", "file:///C:/x", "foo://h/p", "foo:/p", "mailto:x"])(
    "for what is set on %s",
    (url) => {
      for (const [part, values] of Object.entries(setters)) {
        for (const value of values) {
          const which = `${part} = ${value}`;
          expect([which, changed(guestUrl, url, part, value)]).toEqual([
            which,
            changed(nodeUrl, url, part, value),
          ]);
        }
      }
    },
  );

  test.each(["a=1&b=2&a=3", "?x", "a=b=c&&=&d", "%41%zz=+%2B", "ü=😀", "a+b=c%20d"])(
    "for the parameters %s",
    (query) => {
      expect(changedParams(new GuestParams(query))).toEqual(changedParams(new URLSearchParams(query)));
    },
  );

  test("for parameters that change the URL", () => {
    expect(hrefs(new GuestUrl("http://x/?a=1"))).toEqual(hrefs(new URL("http://x/?a=1")));
  });
});
