/**
 * A host to be killed: on the store named by its first argument it deploys a function whose steps are at the receiver on
 * the port that the second one names, and prints the address of its API.
 */
import { createApi } from "../../host/api/server.ts";
import { functionVersion } from "../../host/function/define.ts";
import { createHost } from "../../host/index.ts";

const [store = "", port = ""] = process.argv.slice(2);

const listening = Promise.withResolvers<string>();
const host = await createHost({
  store,
  runtimes: ["http"],
  callbackUrl: listening.promise,
  ...(store.startsWith("nats:") && { nats: { leaseMs: 2_000 } }),
});
const api = await createApi(host, { eventKeys: "any" });
const { url } = await api.listen();
listening.resolve(url);

const at = (path: string) =>
  ({ type: "http", url: `http://127.0.0.1:${port}${path}`, private: true }) as const;
const steps = {
  long: { runtime: at("/long") },
  after: { runtime: at("/after"), after: [{ step: "long" }] },
};
await host.deploy([functionVersion({ id: "f", triggers: [{ event: "e" }], steps }, {}, 0)]);
console.log(url);
