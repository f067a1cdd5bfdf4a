/* A gallery on this machine, which is the example's last step: `node api.ts`. It takes what Millrace has signed, alone. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The port that the example's document names. */
export const port = 8643;

/** The secret by which the gallery knows Millrace. */
export const secrets = { GALLERY_KEY: "a-key-that-the-gallery-has-too" };

/** Whether a request was signed with the key, less than five minutes ago. */
function isFromMillrace(headers: IncomingMessage["headers"], body: string): boolean {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": given = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(at)) < 300)) return false;
  const hmac = createHmac("sha256", secrets.GALLERY_KEY).update(`${String(id)}.${String(at)}.${body}`);
  const [ours, theirs] = [`v1,${hmac.digest("base64")}`, String(given)].map((signature) =>
    Buffer.from(signature),
  ) as [Buffer, Buffer];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}

interface Input {
  readonly event: { readonly user: { readonly id: string } };
  readonly steps: { readonly look: { readonly name: string }; readonly describe: { readonly alt: string } };
}

/** Begins to listen; port 0 takes any free one. */
export async function serve(on = port): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    void text(request).then((body) => {
      if (!isFromMillrace(request.headers, body)) return answer(401, { error: "a wrong signature" });
      const { event, steps } = JSON.parse(body) as Input;
      const url = `https://gallery.example/${event.user.id}/${steps.look.name}`;
      return answer(200, { url, alt: steps.describe.alt });
    });
  });
  await new Promise<void>((resolve) => void server.listen(on, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Millrace keeps its connections for a while.
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const listening = await serve();
  console.log(`the gallery listens on port ${listening.port}`);
}
