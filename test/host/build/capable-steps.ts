import type { CapableStep } from "./capable-runner.ts";

/** Steps of JavaScript that ask the host for something; each has several things to do, by the `do` of its data. */
export const capableSteps: Readonly<Record<string, CapableStep>> = {
  web: {
    capabilities: { http: ["https://example.com"] },
    source: `
      const told = (error) => ({ name: error.name, message: error.message, code: error.cause?.code });
      const shown = async (response) => ({
        status: response.status,
        ok: response.ok,
        url: response.url,
        redirected: response.redirected,
        type: response.headers.get("content-type"),
        text: await response.text(),
      });
      const deeds = {
        send: async ({ url, init }) => shown(await fetch(url, init)),
        json: async ({ url }) => (await fetch(url)).json(),
        bytes: async ({ url }) => {
          const sent = Uint8Array.from({ length: 10_000 }, (_, index) => index % 256);
          const response = await fetch(new Request(url, { method: "PUT", body: sent }));
          const got = await response.bytes();
          return [got.length, got.every((byte, index) => byte === sent[index]), response.bodyUsed];
        },
        together: async ({ urls }) => {
          const order = [];
          const all = urls.map(async (url) => order.push(await (await fetch(url)).text()));
          await Promise.all(all);
          return order;
        },
        meanwhile: async ({ url }) => {
          const seen = [];
          const timer = setInterval(() => seen.push("tick"), 5);
          await new Promise((done) => setTimeout(done, 20));
          const text = (await fetch(url)).text();
          clearInterval(timer);
          return [seen.length > 0, await text];
        },
        late: async ({ url }) => fetch(url, { signal: AbortSignal.timeout(30) }).catch(told),
        aborted: async ({ url }) => {
          const controller = new AbortController();
          setTimeout(() => controller.abort(new RangeError("enough")), 20);
          return fetch(url, { signal: controller.signal }).catch(told);
        },
        already: async ({ url }) => fetch(url, { signal: AbortSignal.abort() }).catch(told),
        failing: async ({ url, init }) => fetch(url, init).then(shown).catch(told),
      };
      export default ({ event: { data } }) => deeds[data.do](data);`,
  },
  early: {
    capabilities: { http: ["https://example.com"] },
    source: `
      // At the top of the module: it is loaded at each attempt then.
      const { data } = { data: globalThis.never };
      const first = await fetch("http://127.0.0.1:1/").catch((error) => error.name);
      export default () => [data === undefined, first];`,
  },
  program: {
    capabilities: { http: ["https://example.com"] },
    source: `
      const { event } = JSON.parse(process.argv[2]);
      const response = await fetch(event.data.url);
      console.log(JSON.stringify([response.status, await response.text()]));`,
  },
  stored: {
    capabilities: { kv: true, config: { greeting: "Grüße", empty: "" } },
    file: "stored.ts",
  },
};
