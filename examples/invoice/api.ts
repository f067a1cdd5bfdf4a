/* A payment API on this machine, as the example's step calls it: `node api.ts`. It is down for the first request. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The port that the example's document names. */
export const port = 8642;

/** The secret that the API wants. */
export const secrets = { PAYMENTS_KEY: "a-key-that-only-the-host-knows" };

/** Begins to listen; port 0 takes any free one. */
export async function serve(on = port): Promise<{ readonly port: number; close(): Promise<void> }> {
  let requests = 0;
  const answer = async (request: IncomingMessage): Promise<readonly [number, object]> => {
    if (request.headers.authorization !== `Bearer ${secrets.PAYMENTS_KEY}`) {
      return [401, { error: "a wrong key" }];
    }
    if (++requests === 1) return [503, { error: "not just now" }];
    const { customer, invoice } = (await json(request)) as { customer: string; invoice: number };
    return [201, { id: `charge-${invoice}-of-${customer}` }];
  };
  const server = createServer((request, response) => {
    void answer(request)
      .catch((): readonly [number, object] => [400, { error: "no JSON" }])
      .then(([status, body]) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      );
  });
  await new Promise<void>((resolve) => void server.listen(on, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const listening = await serve();
  console.log(`the payment API listens on port ${listening.port}`);
}
