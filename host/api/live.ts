import type { FastifyInstance, FastifyReply } from "fastify";
import { MillraceError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { LiveMessage } from "../live.ts";
import type { LiveClient, LiveHub, LiveSink } from "./live-hub.ts";
import { followRun, isSeen } from "./live-run.ts";
import { answers } from "./route-schema.ts";
import { liveMessage } from "./live-schema.ts";

const types = ["event.stored", "attempt.started", "attempt.logged", "history", "notice"] as const;

/** The stream of what happens on this host, as server-sent events (HTML, section 9.2). */
export function addLiveRoute(
  app: FastifyInstance,
  host: Pick<Host, "runs">,
  { hub, liveClients }: { readonly hub: LiveHub; readonly liveClients: number },
): void {
  const format = createFormatter();
  app.get<{ Querystring: LiveQuery }>(
    "/v1/live",
    {
      exposeHeadRoute: false,
      schema: {
        operationId: "live",
        summary: "What happens on this host, as it happens",
        description:
          "Server-sent events. Without `run`, what was missed while disconnected is not sent again, and messages " +
          "have no ids. With `run`, the stream begins with the run's history, its entries have their sequence as id, " +
          "Last-Event-ID continues behind one, and the stream ends with the run; a finished run of which the client " +
          "has seen all is answered 204. A client that reads too slowly is cut off.",
        tags: ["live"],
        querystring: {
          type: "object",
          properties: {
            function: { type: "string", description: "Only of runs and notices of this function." },
            run: { type: "string", description: "Only of this run." },
            type: {
              type: "array",
              items: { type: "string", enum: types },
              description: "Only messages of these types; may be repeated.",
            },
          },
          additionalProperties: false,
        },
        response: {
          ...answers({}, 400, 404, 503),
          200: {
            description: "The stream. Each message is an event of its type, its data a JSON object.",
            content: { "text/event-stream": { schema: liveMessage } },
          },
          204: { description: "The run has finished, and the client has seen all of it." },
        },
      },
    },
    async ({ query, headers }, reply) => {
      if (hub.size >= liveClients) {
        throw new MillraceError("ERR_LIVE_TOO_MANY", `${liveClients} clients are listening already.`);
      }
      const wants = wanted(query);
      const onClient = (client: LiveClient): void => {
        reply.raw.once("close", client.forget);
      };
      const { run: runId } = query;
      if (runId === undefined) {
        onClient(hub.add(openStream(reply), (message) => (wants(message) ? format(message) : undefined)));
        return reply;
      }
      const run = await host.runs.load(runId);
      if (run === undefined)
        throw new MillraceError("ERR_RUN_UNKNOWN", `There is no run ${JSON.stringify(runId)}.`);
      const lastSeen = sequence(headers["last-event-id"]);
      if (isSeen(run, lastSeen)) return reply.code(204).send();
      const sink = openStream(reply);
      await followRun(sink, { runs: host.runs, hub, runId, lastSeen, wants, onClient }).catch(sink.cut);
      return reply;
    },
  );
}

/** The header Last-Event-ID; what is no sequence counts as nothing seen. */
function sequence(header: string | readonly string[] | undefined): number {
  const value = Number(header ?? 0);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

interface LiveQuery {
  readonly function?: string;
  readonly run?: string;
  readonly type?: readonly string[];
}

function wanted(query: LiveQuery): (message: LiveMessage) => boolean {
  const { function: functionId, run, type } = query;
  return (message) => {
    if (type !== undefined && !type.includes(message.type)) return false;
    if (functionId !== undefined && !("functionId" in message && message.functionId === functionId))
      return false;
    return run === undefined || ("runId" in message && message.runId === run);
  };
}

/** One message as text. Clients that get the same one share it. */
function createFormatter(): (message: LiveMessage) => string {
  let last: LiveMessage | undefined;
  let text = "";
  return (message) => {
    if (message !== last) {
      last = message;
      text = `event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`;
    }
    return text;
  };
}

/** Takes the answer out of fastify's hands and begins the stream. */
function openStream(reply: FastifyReply): LiveSink {
  reply.hijack();
  const { raw } = reply;
  raw.on("error", () => {});
  raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    // Proxies that buffer would hold messages back.
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  });
  raw.write("retry: 2000\n\n");
  return {
    write: (text) => raw.write(text),
    onDrain: (callback) => raw.on("drain", callback),
    end: () => raw.end(),
    cut: () => void raw.destroy(),
  };
}
