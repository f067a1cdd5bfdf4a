import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Json } from "../../runtime/json.ts";
import { MillraceError } from "../errors.ts";
import type { LinkAnswer } from "../run/answer.ts";
import { isPlainObject } from "../event/json-check.ts";
import type { Host } from "../host.ts";
import { decodeText, parseJson } from "./decode-body.ts";
import { messagePage, pageHeaders, questionPage } from "./link-page.ts";
import { readBody } from "./read-body.ts";
import { answers } from "./route-schema.ts";
import { object, type Schema } from "./schemas.ts";

/** What somebody may say besides the answer, in bytes. */
const largestAnswer = 16 * 1024;

const params: Schema = {
  type: "object",
  properties: { token: { type: "string", description: "What stands behind the address in `ctx.links`." } },
  required: ["token"],
};
const done = object({ status: { type: "integer", const: 200 }, answer: { type: "string" } });

/** The routes by which people answer what runs wait for. The token is the key to them; opening a link answers nothing. */
export function addLinkRoutes(app: FastifyInstance, host: Pick<Host, "links">): void {
  app.get<{ Params: { token: string } }>(
    "/v1/links/:token",
    {
      schema: {
        operationId: "openLink",
        summary: "The page on which a link is answered",
        description:
          "A page with a button for each answer. It answers nothing by itself: programs open links too.",
        tags: ["links"],
        params,
        response: {
          ...answers(done, 404, 409, 410, 503),
          200: { description: "A page.", content: { "text/html": { schema: { type: "string" } } } },
        },
      },
    },
    (request, reply) =>
      forPeople(request, reply, async () => {
        const question = await host.links.open(request.params.token);
        void reply.headers(pageHeaders).serializer(String);
        return questionPage(question);
      }),
  );

  app.post<{ Params: { token: string } }>(
    "/v1/links/:token",
    {
      schema: {
        operationId: "answerLink",
        summary: "Answers what a run waits for",
        description:
          "The body is a form, or a JSON object, with `answer` and whatever else is to be in the data of the event that " +
          "the run then has. It is durable when the answer comes, and counts once.",
        tags: ["links"],
        params,
        response: answers(done, 400, 404, 409, 410, 413, 415, 422, 503),
      },
    },
    (request, reply) =>
      forPeople(request, reply, async () => {
        const given = await answerOf(request, reply);
        await host.links.answer(request.params.token, given);
        if (!wantsPage(request)) return { status: 200, answer: given.answer };
        void reply.headers(pageHeaders).serializer(String);
        return messagePage("Thank you", `Your answer is recorded: ${given.answer}`);
      }),
  );
}

/** Browsers get a page, whatever there is to say; programs what they get of every route. */
async function forPeople(
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Promise<string | object>,
): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof MillraceError) || error.status >= 500 || !wantsPage(request)) throw error;
    void reply.code(error.status).headers(pageHeaders).serializer(String);
    return messagePage("This can't be answered", error.message);
  }
}

function wantsPage({ headers }: FastifyRequest): boolean {
  return /\btext\/html\b/.test(headers.accept ?? "");
}

function essenceOf({ headers }: FastifyRequest): string {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

async function answerOf(request: FastifyRequest, reply: FastifyReply): Promise<LinkAnswer> {
  const isForm = essenceOf(request) === "application/x-www-form-urlencoded";
  const text = decodeText(await readBody(request.raw, reply.raw, largestAnswer));
  const body: unknown = isForm ? Object.fromEntries(new URLSearchParams(text)) : parseJson(text);
  if (typeof body !== "object" || body === null || !isPlainObject(body)) throw noAnswer();
  const { answer, ...fields } = body as Readonly<Record<string, Json>>;
  if (typeof answer !== "string") throw noAnswer();
  const said = Object.entries(fields).filter(
    ([key, value]) => key !== "__proto__" && (!isForm || value !== ""),
  );
  return { answer, fields: Object.fromEntries(said) };
}

function noAnswer(): MillraceError {
  return new MillraceError("ERR_LINK_ANSWER", "The body must be an object, or a form, with a text `answer`.");
}
