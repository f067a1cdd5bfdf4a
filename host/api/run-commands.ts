import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MillraceError } from "../errors.ts";
import { foldHistory } from "../run/run-view.ts";
import type { Host } from "../host.ts";
import type { RunSummary } from "../state/state.ts";
import type { ApiSettings } from "./options.ts";
import { readJson } from "./read-json.ts";
import { answers, idParams } from "./route-schema.ts";
import { ref } from "./schemas.ts";

interface Route {
  readonly what: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  /** What may stand in the body, and how it is done; resolves to the id of the run to answer with. */
  readonly fields: readonly string[];
  act(id: string, body: Readonly<Record<string, unknown>>): Promise<string>;
}

const reasonHelp = "The body may have a `reason`, which the run's history keeps.";

/** The routes that cancel, pause, resume and retry runs. */
export function addRunCommandRoutes(
  app: FastifyInstance,
  host: Pick<Host, "runs" | "commands">,
  { bodyBytes }: Pick<ApiSettings, "bodyBytes">,
): void {
  for (const { what, act, fields, ...documented } of routesOf(host)) {
    app.post<{ Params: { id: string } }>(
      `/v1/runs/:id/${what}`,
      {
        schema: {
          ...documented,
          tags: ["runs"],
          params: idParams("The run's id."),
          response: answers(ref("Run"), 400, 404, 409, 413, 415, 422, 503),
        },
      },
      async (request, reply) => {
        const body = await bodyOf(request, reply, bodyBytes);
        checkFields(body, fields);
        return summaryOf(host, await act(request.params.id, body));
      },
    );
  }
}

function routesOf({ commands, runs }: Pick<Host, "runs" | "commands">): readonly Route[] {
  return [
    {
      what: "cancel",
      operationId: "cancelRun",
      summary: "Cancels a run: it ends now",
      description: `What is under way is ended. ${reasonHelp}`,
      fields: ["reason"],
      act: (id, body) => commands.cancel(id, textOf(body, "reason")).then(() => id),
    },
    {
      what: "pause",
      operationId: "pauseRun",
      summary: "Pauses a run: no step starts until it is resumed",
      description: `What is under way may end, and waits for events go on. ${reasonHelp}`,
      fields: ["reason"],
      act: (id, body) => commands.pause(id, textOf(body, "reason")).then(() => id),
    },
    {
      what: "resume",
      operationId: "resumeRun",
      summary: "Resumes a run that was paused",
      description: "One that is not paused stays as it is.",
      fields: [],
      act: (id) => commands.resume(id).then(() => id),
    },
    {
      what: "retry",
      operationId: "retryRun",
      summary: "Has a run that is over go on, or runs its function again",
      description:
        "With {} as the body, a run that failed or was cancelled goes on with the steps that did not complete. With `from`, a " +
        "step's id, any run that is over goes on with that step and all behind it. With `event`, a new run begins on the " +
        "active version: the fields given (`data`, `user`, …) take the place of those of the run's own event; a batch keeps its others.",
      fields: ["from", "event"],
      async act(id, body) {
        const { event } = body;
        const from = textOf(body, "from");
        if (event === undefined) return commands.retry(id, from).then(() => id);
        if (from !== undefined) throw invalid("`from` and `event` exclude each other");
        if (typeof event !== "object" || event === null || Array.isArray(event))
          throw invalid("`event` must be an object");
        const { event: before } = foldHistory((await runs.load(id))?.history ?? []);
        if (before === undefined) return commands.retry(id).then(() => id);
        // Another event: with an id and a time of its own, unless they are given.
        const { id: _, ts: __, ...own } = before;
        return commands.rerun(id, { ...own, ...event });
      },
    },
  ];
}

async function bodyOf(
  request: FastifyRequest,
  reply: FastifyReply,
  limit: number,
): Promise<Readonly<Record<string, unknown>>> {
  const body = await readJson(request.raw, reply.raw, limit);
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("the body must be a JSON object");
  return body as Readonly<Record<string, unknown>>;
}

function checkFields(body: object, fields: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !fields.includes(name));
  if (unknown === undefined) return;
  const known = fields.length === 0 ? "no fields" : fields.map((name) => `\`${name}\``).join(" and ");
  throw invalid(`the body has ${JSON.stringify(unknown)}; it may have ${known}`);
}

function textOf(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`\`${name}\` must be text`);
}

function invalid(message: string): MillraceError {
  const problems = [{ code: "ERR_QUERY_INVALID", message }] as const;
  return new MillraceError("ERR_QUERY_INVALID", `The request can't be used: ${message}.`, { problems });
}

async function summaryOf({ runs }: Pick<Host, "runs">, id: string): Promise<RunSummary> {
  const run = await runs.load(id);
  if (run === undefined) throw new MillraceError("ERR_RUN_UNKNOWN", `There is no run ${JSON.stringify(id)}.`);
  const { history: _, revision: __, ...summary } = run;
  return summary;
}
