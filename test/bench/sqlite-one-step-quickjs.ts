import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildProject } from "../../host/build/build.ts";
import { loadProject } from "../../host/build/project.ts";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { measure, oneStepHost } from "./load.ts";

const document = {
  id: "one-step",
  triggers: [{ event: "bench/sent" }],
  steps: { only: { path: "file://./only.js" } },
};
const step =
  "export default async ({ event }) => ({ order: event.data.order, items: event.data.items.length });\n";

/** One-step runs on `sqlite:`, durable, whose step is JavaScript on QuickJS, a fresh instance each. */
export function measureQuickJsStep(): ReturnType<typeof measure> {
  return withFolder(async (folder) => {
    await mkdir(join(folder, "project"));
    await writeFile(join(folder, "project", "function.json"), JSON.stringify(document));
    await writeFile(join(folder, "project", "only.js"), step);
    const built = await buildProject(await loadProject(join(folder, "project")));
    const component = built.functions[0]?.components["only"];
    if (component === undefined) throw new Error(JSON.stringify(built.problems));
    const queue = await oneStepHost(
      { store: `sqlite:${join(folder, "store.db")}`, cacheDir: join(folder, "cache") },
      { only: component.sha256 },
    );
    try {
      await queue.host.putArtifact(await component.bytes());
      return await measure(queue, { rounds: 3, count: 3_000, samples: 500 });
    } finally {
      await queue.host.close();
    }
  });
}

export async function run(): Promise<readonly Figure[]> {
  const { throughput, p50, p99 } = await measureQuickJsStep();
  const bench = "sqlite-one-step-quickjs";
  return [
    { bench, figure: "throughput", value: throughput, unit: "runs/s", better: "higher" },
    { bench, figure: "p50", value: p50, unit: "ms", better: "lower" },
    { bench, figure: "p99", value: p99, unit: "ms", better: "lower" },
  ];
}
