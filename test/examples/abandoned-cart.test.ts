import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadProject } from "../../host/build/project.ts";
import { createHandClock } from "../hand-clock.ts";
import { startProject } from "../host/build/project-host.ts";

const folder = join(import.meta.dirname, "../../examples/abandoned-cart");
const cache = await mkdtemp(join(tmpdir(), "millrace-cart-"));
afterAll(() => rm(cache, { recursive: true }));

test("the owner of a cart that is not checked out within a day is reminded, and not before", async () => {
  const clock = createHandClock();
  const host = await startProject(await loadProject(folder), cache, "auto", new Map(), clock);
  try {
    const event = JSON.parse(await readFile(join(folder, "event.json"), "utf8")) as unknown;
    let over = false;
    const running = host.run(event).finally(() => (over = true));
    await host.until((run) => run.status === "parked");
    clock.advance(86_400_000 - 60_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(over).toBe(false);
    clock.advance(60_000);
    const run = await running;
    expect(run).toMatchObject({
      status: "completed",
      waits: [{ status: "cancelled" }, { status: "timedOut" }],
    });
    expect(run.steps.map(({ id, status, output }) => [id, status, output])).toEqual([
      ["note", "completed", { best: "a kettle", total: 65 }],
      ["thank", "skipped", undefined],
      ["remind", "completed", "ada, a kettle is still in your cart."],
    ]);
  } finally {
    await host.close();
  }
  // Its steps are built here.
}, 300_000);

test("a cart that is emptied needs neither", async () => {
  const host = await startProject(await loadProject(folder), cache);
  try {
    const event = JSON.parse(await readFile(join(folder, "event.json"), "utf8")) as unknown;
    const run = await host.run(event, [{ name: "cart/emptied", data: { cart: "c-17" } }]);
    expect(run.status).toBe("cancelled");
  } finally {
    await host.close();
  }
});
