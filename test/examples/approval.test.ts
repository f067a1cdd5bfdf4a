import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { createApi } from "../../host/api/server.ts";
import { buildProject } from "../../host/build/build.ts";
import { loadProject } from "../../host/build/project.ts";
import { viewRun, type RunDetail } from "../../host/run/view.ts";
import { functionVersion } from "../../host/function/define.ts";
import { createHost, runId } from "../../host/index.ts";
import { createHandClock } from "../hand-clock.ts";

const folder = join(import.meta.dirname, "../../examples/approval");
const cache = await mkdtemp(join(tmpdir(), "millrace-approval-"));
afterAll(() => rm(cache, { recursive: true }));

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Runs the example to where it waits; `link` is what the manager gets. */
async function filed() {
  const clock = createHandClock();
  const { functions, problems } = await buildProject(await loadProject(folder), {
    cacheDir: join(cache, "build"),
  });
  expect(problems).toEqual([]);
  const { promise: callbackUrl, resolve } = Promise.withResolvers<string>();
  const host = await createHost({ store: "memory:", cacheDir: join(cache, "engine"), clock, callbackUrl });
  cleanups.push(() => host.close());
  const api = await createApi(host, { eventKeys: "any", log: () => undefined });
  cleanups.push(() => api.close());
  const { url } = await api.listen();
  resolve(url);
  const [built] = functions;
  const digests: Record<string, string> = {};
  for (const [step, component] of Object.entries(built!.components))
    digests[step] = await host.putArtifact(await component.bytes());
  await host.deploy([functionVersion(built!.document, digests, 0)]);
  const sent = await fetch(`${url}/e/dev`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: await readFile(join(folder, "event.json")),
  });
  const { ids } = (await sent.json()) as { ids: string[] };
  const id = runId("approval", ids[0]!);
  const look = async (): Promise<RunDetail> => viewRun(built!.document, (await host.runs.load(id))!);
  while ((await host.runs.load(id))?.status !== "parked") await new Promise((done) => setTimeout(done, 10));
  const ask = (await look()).steps.find((step) => step.id === "ask")?.output as { text: string };
  const [link = ""] = /http:\S+$/.exec(ask.text) ?? [];
  return { clock, link, ended: async () => (await host.finished(id), look()) };
}

const press = (link: string, fields: Record<string, string>): Promise<Response> =>
  fetch(link, { method: "POST", body: new URLSearchParams(fields) });

test("an expense that is approved by its link is paid", async () => {
  const { link, ended } = await filed();
  const page = await fetch(link);
  expect(await page.text()).toContain('<button name="answer" value="approve">');
  expect((await press(link, { answer: "approve" })).status).toBe(200);
  expect(await ended()).toMatchObject({
    status: "completed",
    output: { paid: true, says: "84 EUR are on their way to ada." },
  });
}, 300_000);

test("one that is denied is not, and its owner hears why", async () => {
  const { link, ended } = await filed();
  await press(link, { answer: "deny", comment: "take the bus" });
  expect((await ended()).output).toEqual({ paid: false, says: "a train ticket is not paid: take the bus." });
}, 300_000);

test("one that nobody answers is not, after three days", async () => {
  const { clock, link, ended } = await filed();
  clock.advance(3 * 86_400_000);
  expect((await ended()).output).toEqual({
    paid: false,
    says: "a train ticket is not paid: nobody answered.",
  });
  expect((await press(link, { answer: "approve" })).status).toBe(410);
}, 300_000);
