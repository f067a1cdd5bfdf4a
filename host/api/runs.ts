import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import { viewRun } from "../run/view.ts";
import type { RunStatus } from "../run/history.ts";
import type { Host } from "../host.ts";
import type { StoredRun } from "../state/state.ts";
import { answers, idParams, pageQuery } from "./route-schema.ts";
import { listOf, object, ref } from "./schemas.ts";

/** The routes that read runs. */
export function addRunRoutes(app: FastifyInstance, host: Pick<Host, "runs" | "version">): void {
  const load = async (id: string): Promise<StoredRun> => {
    const run = await host.runs.load(id);
    if (run === undefined)
      throw new MillraceError("ERR_RUN_UNKNOWN", `There is no run ${JSON.stringify(id)}.`);
    return run;
  };

  app.get<{ Querystring: RunsQuery }>(
    "/v1/runs",
    {
      schema: {
        operationId: "listRuns",
        summary: "Runs, the newest first",
        tags: ["runs"],
        querystring: pageQuery({
          function: { type: "string", description: "Of this function." },
          status: {
            type: "string",
            enum: ["running", "parked", "paused", "completed", "failed", "cancelled"],
          },
          event: { type: "string", description: "Started by the event with this id." },
          user: { type: "string", description: "Caused by this user: the event's `user.id`, or its `user`." },
        }),
        response: answers(object({ runs: listOf(ref("Run")), "next?": { type: "string" } }), 400),
      },
    },
    ({ query }) =>
      host.runs.query({
        limit: query.limit,
        ...(query.function === undefined ? {} : { functionId: query.function }),
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.event === undefined ? {} : { eventId: query.event }),
        ...(query.user === undefined ? {} : { userId: query.user }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      }),
  );

  app.get<{ Params: { id: string } }>(
    "/v1/runs/:id",
    {
      schema: {
        operationId: "getRun",
        summary: "One run, with its event and what became of each step",
        tags: ["runs"],
        params: idParams("The run's id."),
        response: answers(ref("RunDetail"), 404),
      },
    },
    async ({ params }) => {
      const run = await load(params.id);
      const version = await host.version(run.functionId, run.functionVersion);
      return viewRun(version?.document, run);
    },
  );

  app.get<{ Params: { id: string } }>(
    "/v1/runs/:id/history",
    {
      schema: {
        operationId: "getRunHistory",
        summary: "All that happened to a run, in order",
        tags: ["runs"],
        params: idParams("The run's id."),
        response: answers(object({ history: listOf(ref("HistoryEntry")) }), 404),
      },
    },
    async ({ params }) => {
      const { history } = await load(params.id);
      return { history: history.map((entry, index) => ({ seq: index + 1, ...entry })) };
    },
  );

  app.get<{ Params: { id: string }; Querystring: { step?: string } }>(
    "/v1/runs/:id/logs",
    {
      schema: {
        operationId: "getRunLogs",
        summary: "What the steps of a run logged, attempt by attempt",
        tags: ["runs"],
        params: idParams("The run's id."),
        querystring: object({
          "step?": {
            type: "string",
            description:
              "Of this step alone. What items of a list logged is told only where their step is named.",
          },
        }),
        response: answers(object({ logs: listOf(attemptLogs) }), 400, 404),
      },
    },
    async ({ params, query }) => ({ logs: logsOf(await load(params.id), query.step) }),
  );
}

interface RunsQuery {
  readonly function?: string;
  readonly status?: RunStatus;
  readonly event?: string;
  readonly user?: string;
  readonly cursor?: string;
  readonly limit: number;
}

const attemptLogs = object({
  step: { type: "string" },
  attempt: { type: "integer" },
  "item?": { type: "integer" },
  startedAt: { type: "integer" },
  endedAt: { type: "integer" },
  lines: listOf(ref("LogLine")),
});

function logsOf({ history }: StoredRun, step: string | undefined): readonly object[] {
  return history.flatMap((entry) => {
    if (!("startedAt" in entry) || entry.logs === undefined) return [];
    const item = "item" in entry ? { item: entry.item } : {};
    if (step === undefined ? "item" in item : entry.step !== step) return [];
    const { attempt, startedAt, at, logs } = entry;
    return [{ step: entry.step, ...item, attempt, startedAt, endedAt: at, lines: logs }];
  });
}
