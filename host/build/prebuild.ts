// Makes the templates of the published package: `npm run build` runs it on what the compiler put out.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleGuest } from "./bundle.ts";
import { makeTemplate, prebuiltFolder } from "./template.ts";

// Beside the sources they would outlive a change of the guest.
if (import.meta.url.endsWith(".ts")) throw new Error("run it on the built package: npm run build");

const folder = await mkdtemp(join(tmpdir(), "millrace-prebuild-"));
try {
  await mkdir(prebuiltFolder, { recursive: true });
  for (const world of ["typed", "program"] as const) {
    const bytes = await makeTemplate(world, await bundleGuest(world), folder);
    await writeFile(new URL(`${world}.wasm`, prebuiltFolder), bytes);
  }
} finally {
  await rm(folder, { recursive: true });
}
