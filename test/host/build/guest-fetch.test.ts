import { describe, expect, test } from "vitest";
import { Headers as GuestHeaders } from "../../../host/build/guest/fetch/headers.ts";
import { Request as GuestRequest } from "../../../host/build/guest/fetch/request.ts";
import { Response as GuestResponse } from "../../../host/build/guest/fetch/response.ts";
import { URL as GuestUrl } from "../../../host/build/guest/url.ts";
import { URLSearchParams as GuestParams } from "../../../host/build/guest/url-search-params.ts";

/** The classes under test, or Node's own. */
interface Classes {
  readonly Headers: typeof Headers;
  readonly Request: typeof Request;
  readonly Response: typeof Response;
  readonly URL: typeof URL;
  readonly URLSearchParams: typeof URLSearchParams;
}

const guest = {
  Headers: GuestHeaders,
  Request: GuestRequest,
  Response: GuestResponse,
  URL: GuestUrl,
  URLSearchParams: GuestParams,
} as unknown as Classes;
const node: Classes = { Headers, Request, Response, URL, URLSearchParams };

/** What comes of it, to be compared: the value, or what was thrown. */
async function outcome(run: (classes: Classes) => unknown, classes: Classes): Promise<unknown> {
  try {
    return { value: await run(classes) };
  } catch (error) {
    return { thrown: (error as Error).name };
  }
}

type Case = readonly [name: string, run: (classes: Classes) => unknown];

function hold(cases: readonly Case[]): void {
  test.each(cases)("%s", async (_, run) => {
    expect(await outcome(run, guest)).toEqual(await outcome(run, node));
  });
}

const names = ["a", "A-b", "x_y", "", " a", "a ", "a:b", "a b", "ü", "a\n", "(a)", "content-type"];
const values = ["", "a", " a ", "\ta\t", "a\nb", "a\rb", "a\0b", "\n a \n", "ü", "世", "a,b", "\x7f", "\x01"];

describe("Headers", () => {
  hold([
    ...names.map((name): Case => [
      `the name ${JSON.stringify(name)}`,
      ({ Headers }) => [...new Headers([[name, "v"]])],
    ]),
    ...values.map((value): Case => [
      `the value ${JSON.stringify(value)}`,
      ({ Headers }) => new Headers({ a: value }).get("a"),
    ]),
    ["nothing", ({ Headers }) => [...new Headers()]],
    ["null", ({ Headers }) => [...new Headers(null as never)]],
    ["a number", ({ Headers }) => [...new Headers(1 as never)]],
    ["a string", ({ Headers }) => [...new Headers("ab" as never)]],
    ["pairs that are none", ({ Headers }) => [...new Headers([["a"]] as never)]],
    ["pairs of three", ({ Headers }) => [...new Headers([["a", "b", "c"]] as never)]],
    [
      "a Map",
      ({ Headers }) => [
        ...new Headers(
          new Map([
            ["b", "1"],
            ["a", "2"],
          ]) as never,
        ),
      ],
    ],
    ["others", ({ Headers }) => [...new Headers(new Headers({ b: "1", a: "2" }))]],
    ["values that are no text", ({ Headers }) => [...new Headers({ a: 1, b: true, c: undefined } as never)]],
    [
      "the same name several times",
      ({ Headers }) => {
        const headers = new Headers([
          ["b", "1"],
          ["A", "2"],
          ["B", "3"],
          ["a", "4"],
        ]);
        headers.append("B", "5");
        return [[...headers], headers.get("b"), headers.get("c"), headers.has("B"), headers.has("c")];
      },
    ],
    [
      "set and delete",
      ({ Headers }) => {
        const headers = new Headers([
          ["a", "1"],
          ["a", "2"],
          ["b", "3"],
        ]);
        headers.set("A", "4");
        headers.set("c", "5");
        headers.delete("B");
        headers.delete("none");
        return [...headers];
      },
    ],
    [
      "cookies apart",
      ({ Headers }) => {
        const headers = new Headers([
          ["set-cookie", "a=1"],
          ["x", "1"],
          ["Set-Cookie", "b=2"],
          ["set-cookie", "a=1"],
        ]);
        return [[...headers], headers.getSetCookie(), headers.get("set-cookie")];
      },
    ],
    [
      "keys, values and forEach",
      ({ Headers }) => {
        const headers = new Headers({ b: "1", a: "2" });
        const seen: unknown[] = [];
        headers.forEach((value, name, all) => seen.push(value, name, all === headers));
        return [
          [...headers.keys()],
          [...headers.values()],
          [...headers.entries()],
          seen,
          Object.prototype.toString.call(headers),
        ];
      },
    ],
    [
      "a loop that changes them",
      ({ Headers }) => {
        const headers = new Headers({ a: "1", b: "2", c: "3" });
        const seen: string[] = [];
        for (const [name] of headers) {
          seen.push(name);
          if (name === "a") headers.delete("b");
          if (name === "c" && seen.length < 9) headers.append("d", "4");
        }
        return seen;
      },
    ],
  ]);
});

const bodies: readonly (readonly [name: string, make: (classes: Classes) => unknown])[] = [
  ["null", () => null],
  ["undefined", () => undefined],
  ["text", () => "Grüße 👋"],
  ["a lone surrogate", () => "a\ud800"],
  ["a byte order mark", () => "\ufeffa"],
  ["bytes", () => Uint8Array.of(0, 255, 195, 188)],
  ["a part of a buffer", () => new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)],
  ["an ArrayBuffer", () => Uint8Array.of(104, 105).buffer],
  ["a DataView", () => new DataView(Uint8Array.of(104, 105).buffer)],
  ["parameters", ({ URLSearchParams }) => new URLSearchParams({ a: "1 2", b: "ü" })],
  ["an object", () => ({ a: 1 })],
  ["an array", () => [1, 2]],
  ["a number", () => 42],
  ["JSON", () => '{"a":[1,null]}'],
];

describe("a body", () => {
  hold(
    bodies.flatMap(([name, make]): Case[] => [
      [`${name} as text`, (all) => new all.Response(make(all) as never).text()],
      [`${name} as JSON`, (all) => new all.Response(make(all) as never).json()],
      [
        `${name} as bytes`,
        async (all) => [...new Uint8Array(await new all.Response(make(all) as never).arrayBuffer())],
      ],
      [
        `${name} of a response`,
        async (all) => {
          const response = new all.Response(make(all) as never);
          return [[...response.headers], response.body === null, response.bodyUsed];
        },
      ],
      [
        `${name} of a request`,
        async (all) => {
          const request = new all.Request("https://a.b/", { method: "POST", body: make(all) as never });
          return [[...request.headers], request.body === null, await request.text(), request.bodyUsed];
        },
      ],
      [`${name} with GET`, (all) => new all.Request("https://a.b/", { body: make(all) as never }).method],
    ]),
  );

  hold([
    [
      "is read once",
      async ({ Response }) => {
        const response = new Response("a");
        await response.text();
        return [response.bodyUsed, await response.text().catch((error: Error) => error.name)];
      },
    ],
    [
      "that is none is read as often as one likes",
      async ({ Response }) => {
        const response = new Response();
        return [await response.text(), await response.text(), response.bodyUsed];
      },
    ],
    [
      "is there for a clone",
      async ({ Response }) => {
        const response = new Response("a", { status: 201, headers: { x: "y" } });
        const clone = response.clone();
        const texts = [await response.text(), await clone.text()];
        return [texts, clone.status, clone.headers.get("x")];
      },
    ],
    [
      "can't be cloned once it is read",
      async ({ Response }) => {
        const response = new Response("a");
        await response.text();
        response.clone();
      },
    ],
    [
      "can be looped over",
      async ({ Response }) => {
        const chunks: number[] = [];
        const response = new Response("abc");
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
          chunks.push(...chunk);
        return [chunks, response.bodyUsed];
      },
    ],
    [
      "can be read by a reader",
      async ({ Response }) => {
        const reader = new Response("abc").body?.getReader();
        const first = await reader?.read();
        return [[...(first?.value ?? [])], first?.done, (await reader?.read())?.done];
      },
    ],
  ]);
});

describe("Response", () => {
  const statuses = [99, 100, 101, 199, 200, 204, 205, 299, 304, 404, 599, 600, Number.NaN];
  hold([
    ...statuses.flatMap((status): Case[] => [
      [
        `the status ${status}`,
        ({ Response }) => [new Response(null, { status }).status, new Response(null, { status }).ok],
      ],
      [`the status ${status} with a body`, ({ Response }) => new Response("a", { status }).status],
      [
        `a redirect with the status ${status}`,
        ({ Response }) => Response.redirect("https://a.b/", status as never).status,
      ],
    ]),
    [
      "what it has by itself",
      ({ Response }) => {
        const { status, statusText, ok, type, url, redirected, bodyUsed } = new Response();
        return { status, statusText, ok, type, url, redirected, bodyUsed };
      },
    ],
    ["a status text", ({ Response }) => new Response(null, { statusText: "Fine" }).statusText],
    ["a status text of two lines", ({ Response }) => new Response(null, { statusText: "a\nb" }).statusText],
    [
      "its own type goes before that of the body",
      ({ Response }) => [...new Response("a", { headers: { "Content-Type": "x/y" } }).headers],
    ],
    [
      "an error",
      ({ Response }) => {
        const { status, type, ok } = Response.error();
        return { status, type, ok };
      },
    ],
    ["an error's headers can't be changed", ({ Response }) => Response.error().headers.set("a", "b")],
    [
      "JSON",
      async ({ Response }) => {
        const response = Response.json({ a: [1, "ü"] }, { status: 202, headers: { x: "y" } });
        return [response.status, [...response.headers], await response.text()];
      },
    ],
    [
      "JSON with a type",
      ({ Response }) => [...Response.json(1, { headers: { "content-type": "a/b" } }).headers],
    ],
    ["what is no JSON", ({ Response }) => Response.json(undefined)],
    [
      "a redirect",
      ({ Response }) => {
        const response = Response.redirect("https://a.b/c d");
        return [response.status, [...response.headers]];
      },
    ],
    ["a redirect to nowhere", ({ Response }) => Response.redirect("nowhere")],
  ]);
});

describe("Request", () => {
  const methods = [
    "get",
    "Post",
    "pAtCh",
    "PATCH",
    "delete",
    "head",
    "options",
    "put",
    "custom",
    "CONNECT",
    "trace",
    "TRACK",
    "a b",
    "",
  ];
  const urls = [
    "https://a.b/c?d#e",
    "http://A.B:80/x/../y",
    "nowhere",
    "/a",
    "",
    "https://u:p@a.b/",
    "https://u@a.b/",
    "mailto:a@b",
    "data:,a",
  ];
  hold([
    ...methods.map((method): Case => [
      `the method ${JSON.stringify(method)}`,
      ({ Request }) => new Request("https://a.b/", { method }).method,
    ]),
    ...urls.map((url): Case => [`the address ${JSON.stringify(url)}`, ({ Request }) => new Request(url).url]),
    ["an URL", ({ Request, URL }) => new Request(new URL("/x", "https://a.b/")).url],
    ["a way with redirects", ({ Request }) => new Request("https://a.b/", { redirect: "manual" }).redirect],
    ["no such way", ({ Request }) => new Request("https://a.b/", { redirect: "later" as never }).redirect],
    ["a signal that is none", ({ Request }) => new Request("https://a.b/", { signal: {} as never }).url],
    [
      "another request",
      async ({ Request }) => {
        const first = new Request("https://a.b/", { method: "POST", body: "a", headers: { x: "y" } });
        const second = new Request(first, { headers: { z: "1" } });
        return [first.bodyUsed, second.method, [...second.headers], await second.text()];
      },
    ],
    [
      "another request with another method",
      ({ Request }) => {
        const first = new Request("https://a.b/", { headers: { x: "y" } });
        return [new Request(first, { method: "DELETE" }).method, [...new Request(first).headers]];
      },
    ],
    [
      "a clone",
      async ({ Request }) => {
        const request = new Request("https://a.b/", { method: "POST", body: "a" });
        const clone = request.clone();
        return [await request.text(), await clone.text(), clone.method, [...clone.headers]];
      },
    ],
    ["a signal of its own", ({ Request }) => new Request("https://a.b/").signal.aborted],
  ]);
});
