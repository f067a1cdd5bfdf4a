import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder of a project, somewhere temporary. */
export interface ProjectFixture {
  readonly folder: string;
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes a folder with these files in it. */
export async function projectFolder(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<ProjectFixture> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-project-")));
  const fixture: ProjectFixture = {
    folder,
    async write(more) {
      for (const [path, content] of Object.entries(more)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), content);
      }
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
  await fixture.write(files);
  return fixture;
}

/** The text of a function document with one step for each path, none after another. */
export function functionText(paths: Readonly<Record<string, string>>, id = "f"): string {
  const steps = Object.entries(paths).map(([step, path]) => [step, { path: `file://./${path}` }]);
  return JSON.stringify({ id, triggers: [{ event: "a/b" }], steps: Object.fromEntries(steps) }, undefined, 2);
}
