import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporaryFolder } from "./cli-fixture.ts";
import { programFixture, type ProgramFixture } from "./program-fixture.ts";

/** A function whose steps are programs that were built before. */
export interface FunctionFixture {
  readonly id: string;
  readonly event?: string;
  readonly expression?: string;
  /** One after the other. */
  readonly steps: Readonly<Record<string, ProgramFixture>>;
  readonly more?: object;
}

/** Writes files below a folder, in a new one unless it is given; objects become JSON. */
export async function writeProject(
  files: Readonly<Record<string, string | Uint8Array | object>>,
  folder?: string,
): Promise<string> {
  const root = folder ?? (await temporaryFolder());
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    const raw = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(file, raw ? content : JSON.stringify(content));
  }
  return root;
}

/** The files of a function below a folder of its id. */
export function functionFiles({ id, event = "test/event", expression, steps, more }: FunctionFixture) {
  const ids = Object.keys(steps);
  const document = {
    id,
    triggers: [{ event, ...(expression === undefined ? {} : { expression }) }],
    retry: { retries: 0 },
    steps: Object.fromEntries(
      ids.map((step, index) => [
        step,
        { path: `file://./${step}.wasm`, ...(index === 0 ? {} : { after: [{ step: ids[index - 1] }] }) },
      ]),
    ),
    ...more,
  };
  return {
    [`${id}/function.json`]: JSON.stringify(document, undefined, 2),
    ...Object.fromEntries(ids.map((step) => [`${id}/${step}.wasm`, programFixture(steps[step] ?? {})])),
  };
}
