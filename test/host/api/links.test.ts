import { afterEach, describe, expect, test } from "vitest";
import { createApi } from "../../../host/api/server.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { StepDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const link = { link: "approval", ttl: "1h" };
const steps: Record<string, StepDocument> = {
  before: {},
  ask: { after: [{ step: "before" }] },
  beside: {},
  yes: { after: [{ step: "ask", async: link, if: "async.data.answer == 'approve'" }] },
  no: { after: [{ step: "ask", async: link, if: "async.data.answer != 'approve'" }] },
};

/** A host with its API, and a run that has asked; the links that its steps were given, by step. */
async function asking(changes: { steps?: typeof steps; ask?: Program; reachable?: boolean } = {}) {
  const links = new Map<string, string | undefined>();
  const note: Program = ({ ctx, async }) => (
    links.set(ctx.stepId, ctx.links?.["approval"]),
    async?.data ?? null
  );
  const programs = { before: note, ask: changes.ask ?? note, beside: note, yes: note, no: note };
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const host = await createHost({
    store: "memory:",
    drivers: inProcessDrivers(programs),
    callbackUrl: promise,
  });
  cleanups.push(() => host.close());
  const api = await createApi(host, { eventKeys: "any", log: () => undefined });
  cleanups.push(() => api.close());
  const { url } = await api.listen();
  resolve(changes.reachable === false ? undefined : url);
  const document = { id: "f", name: "Pay <it>", triggers: [{ event: "a/b" }], steps: changes.steps ?? steps };
  await host.deploy([functionVersion({ ...document, retry: { retries: 0 } }, {}, 0)]);
  await host.publish([{ id: "e1", name: "a/b" }]);
  const id = runId("f", "e1");
  return { host, id, links, url };
}

async function parked(host: Host, id: string): Promise<void> {
  await until(async () => {
    const run = await host.runs.load(id);
    return run?.status === "parked" && run.history.some(({ type }) => type === "wait.armed");
  });
}

function outputOf({ history }: StoredRun, step: string): unknown {
  return history.flatMap((one) =>
    one.type === "step.completed" && one.step === step ? [one.output] : [],
  )[0];
}

async function answer(address: string, body: object): Promise<{ status: number; code: string | undefined }> {
  const headers = { "content-type": "application/json" };
  const answered = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
  const { error } = (await answered.json()) as { error?: { code: string } };
  return { status: answered.status, code: error?.code };
}

describe("a link", () => {
  test("is given to the steps up to the one that its wait begins with, and to no other", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    expect(links.get("ask")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/links\/[\w-]+\.[\w-]{43}$/);
    expect(links.get("before")).toBe(links.get("ask"));
    expect(links.get("beside")).toBe(undefined);
  });

  test("answers when it is posted to, and the steps behind see what was said", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    expect(await answer(links.get("ask")!, { answer: "approve", by: "grace" })).toEqual({
      status: 200,
      code: undefined,
    });
    const run = await host.finished(id);
    expect(outputOf(run, "yes")).toEqual({ answer: "approve", by: "grace" });
    expect(run.history.filter(({ type }) => type === "step.skipped")).toMatchObject([{ step: "no" }]);
  });

  test("answers nothing when it is opened, however often", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    for (const method of ["GET", "GET", "HEAD"]) {
      const page = await fetch(links.get("ask")!, { method });
      expect(page.status).toBe(200);
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    expect(await (await fetch(links.get("ask")!)).text()).toContain("<h1>Pay &lt;it&gt;</h1>");
    expect((await host.runs.load(id))?.history.some(({ type }) => type === "wait.answered")).toBe(false);
  });

  test("may be answered before its wait begins", async () => {
    const answered: unknown[] = [];
    const ask: Program = async ({ ctx }) => {
      answered.push(await answer(ctx.links!["approval"]!, { answer: "deny" }));
      return null;
    };
    const { host, id } = await asking({ ask });
    const run = await host.finished(id);
    expect(answered).toEqual([{ status: 200, code: undefined }]);
    expect(outputOf(run, "no")).toEqual({ answer: "deny" });
  });

  test("counts once, the first time", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    const all = await Promise.all(
      ["approve", "deny", "approve"].map((one) => answer(links.get("ask")!, { answer: one })),
    );
    expect(all.map(({ status }) => String(status)).toSorted()).toEqual(["200", "409", "409"]);
    await host.finished(id);
    expect(await answer(links.get("ask")!, { answer: "deny" })).toEqual({
      status: 409,
      code: "ERR_LINK_USED",
    });
    const page = await fetch(links.get("ask")!, { headers: { accept: "text/html" } });
    expect([page.status, page.headers.get("content-type")]).toEqual([409, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain("It was answered already");
  });

  test("takes no other answers, and none of other forms", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    for (const body of [{ answer: "maybe" }, {}, { answer: 1 }, []]) {
      expect(await answer(links.get("ask")!, body)).toEqual({ status: 422, code: "ERR_LINK_ANSWER" });
    }
    const long = { answer: "approve", comment: "x".repeat(20_000) };
    expect((await answer(links.get("ask")!, long)).status).toBe(413);
  });

  test("can't be forged, nor made to be for another run", async () => {
    const { host, id, links, url } = await asking();
    await parked(host, id);
    const [text = "", signature = ""] = new URL(links.get("ask")!).pathname.split("/").at(-1)!.split(".");
    const other = Buffer.from(JSON.stringify(["0".repeat(32), "w1"])).toString("base64url");
    const forged = [
      `${other}.${signature}`,
      `${text}.${signature.slice(0, -2)}AA`,
      text,
      `${text}.`,
      "x.y",
      `${text}.${signature}.x`,
    ];
    for (const token of forged) {
      expect(await answer(`${url}/v1/links/${token}`, { answer: "approve" })).toEqual({
        status: 404,
        code: "ERR_LINK_UNKNOWN",
      });
    }
  });

  test("is answered by no event that somebody sends", async () => {
    const { host, id } = await asking();
    await parked(host, id);
    await host.publish([{ name: "link/approval", data: { answer: "approve" } }]);
    await new Promise((done) => setTimeout(done, 100));
    expect((await host.runs.load(id))?.status).toBe("parked");
  });

  test("is over with its run, and with its time", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    await host.commands.cancel(id);
    expect(await answer(links.get("ask")!, { answer: "approve" })).toEqual({
      status: 410,
      code: "ERR_LINK_EXPIRED",
    });
    const short = await asking({
      steps: {
        ask: {},
        late: { after: [{ step: "ask", async: { ...link, ttl: "1ms", onTimeout: true } }] },
      },
      ask: ({ ctx }) => ctx.links!["approval"]!,
    });
    // Its one step behind has no program, which is no matter here.
    const run = await short.host.finished(short.id);
    expect(await answer(outputOf(run, "ask") as string, { answer: "approve" })).toMatchObject({
      status: 410,
    });
  });

  test("can be answered once more when its run goes on from where it asked", async () => {
    const { host, id, links } = await asking();
    await parked(host, id);
    await answer(links.get("ask")!, { answer: "deny" });
    await host.finished(id);
    await host.commands.retry(id, "ask");
    await parked(host, id);
    expect(await answer(links.get("ask")!, { answer: "approve" })).toMatchObject({ status: 200 });
    expect(outputOf(await host.finished(id), "yes")).toEqual({ answer: "approve" });
  });

  test("that nobody could open fails the step that is to hand it out", async () => {
    const { host, id } = await asking({ reachable: false });
    const run = await host.finished(id);
    expect(run.history).toContainEqual(
      expect.objectContaining({
        step: "before",
        failure: expect.objectContaining({ code: "ERR_STEP_LINKS" }),
      }),
    );
  });
});
